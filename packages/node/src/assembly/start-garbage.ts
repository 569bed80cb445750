/** Gives back what a start took and nothing needs any more, about 20 MB: texts of code, configuration as it was read. V8
 *  would keep it until the node has been busy for long. */
import { collector } from '../http/collector.ts'

/** After the calls that waited for the node were answered, since it stops the thread for 50 to 100 ms. */
const afterMs = 2_000

/** To be called once when the node is ready; keeps no process alive. */
export function giveBackStart(): void {
  setTimeout(() => collector()({ type: 'major', flavor: 'last-resort' }), afterMs).unref()
}
