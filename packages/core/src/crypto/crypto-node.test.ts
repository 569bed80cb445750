import * as node from './crypto-node.ts'
import { testCryptoProvider } from './crypto-contract.ts'

testCryptoProvider('node:crypto', node)
