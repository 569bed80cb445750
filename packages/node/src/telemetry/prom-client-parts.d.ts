/** prom-client's parts by their files: its front door also loads a push client and cluster support, a tenth of a
 *  second that a node's start would wait for. */
declare module 'prom-client/lib/registry.js' {
  import { Registry } from 'prom-client'
  export { Registry as default }
}
declare module 'prom-client/lib/gauge.js' {
  import { Gauge } from 'prom-client'
  export { Gauge as default }
}
