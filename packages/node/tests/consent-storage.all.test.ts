import { join } from 'node:path'
import { test } from 'node:test'
import { startConsentNetwork } from './consent-network.ts'
import { decideWhileFailing } from './consent-storage.ts'
import { smallDisk, withoutMounts } from './storage-kit.ts'

test(
  'a holder refuses decisions and reads while its disk is full, and takes them when there is space',
  {
    skip: withoutMounts,
  },
  async () => {
    using disk = smallDisk()
    const directory = join(disk.directory ?? '', 'data')
    await using network = await startConsentNetwork({
      configure: (config, name) => {
        if (name !== 'holder') return
        config['storage'] = { directory }
        config['log'] = { directory: join(disk.directory ?? '', 'log') }
      },
    })
    await decideWhileFailing(network, directory, {
      begin: () => disk.fill(process.pid),
      end: () => disk.free(process.pid),
    })
  },
)
