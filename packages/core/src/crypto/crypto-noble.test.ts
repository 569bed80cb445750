import * as noble from './crypto-noble.ts'
import { testCryptoProvider } from './crypto-contract.ts'

testCryptoProvider('noble', noble)
