/** An upstream whose answers are large: rows of NDJSON at `/rows`, as many bytes as the query `bytes` asks for. */

import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { endWithParent } from '../processes.ts'

const row = (id: number) => ({
  id,
  meter: `meter ${id % 97}`,
  at: `2026-01-01T00:00:${String(id % 60).padStart(2, '0')}Z`,
  kwh: id / 7,
  place: { city: 'Oslo', street: `Storgata ${id}` },
  note: 'read from afar, checked by hand once a year',
})
const block = Buffer.from(Array.from({ length: 2_000 }, (_, id) => `${JSON.stringify(row(id))}\n`).join(''))

function write(response: ServerResponse, bytes: number): void {
  let left = Math.ceil(bytes / block.length)
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  const more = (): void => {
    while (left > 0) {
      left--
      if (!response.write(block)) return void response.once('drain', more)
    }
    response.end()
  }
  more()
}

const server = createServer((request, response) => {
  const { searchParams } = new URL(request.url ?? '', 'http://upstream')
  write(response, Number(searchParams.get('bytes') ?? block.length))
})
endWithParent()
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: (server.address() as AddressInfo).port })))
