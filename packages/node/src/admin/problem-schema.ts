/** The document of an error (RFC 9457), as the reference shows it. */
import { z } from 'zod'

export const problemSchema = z
  .looseObject({
    type: z.string().meta({ description: '`urn:comity:problem:` and the code.' }),
    title: z.string(),
    status: z.int(),
    code: z.string().meta({ description: 'What programs switch on.' }),
    detail: z.string(),
    remedy: z.string(),
    requestId: z.string().meta({ description: 'Stands in the node’s own log too.' }),
    errors: z.array(z.unknown()).optional().meta({ description: 'Every mistake of what was sent.' }),
  })
  .meta({ id: 'Problem' })
