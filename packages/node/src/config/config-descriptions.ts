/** What each entry of `comity.yaml` means: the table behind docs/operating/configuration.md. */

/** Path as the reference writes it -> meaning. A test holds it equal to the schema's entries. */
export const configDescriptions: Readonly<Record<string, string>> = {
  comity: "Version of the file's format.",
  'participant.did': 'The DID that this node speaks for: did:web (the address under `listen.public.url`) or did:key.',
  'participant.name': 'Name of the organisation, for people.',
  environment:
    'Whether data here is real: an API key of the other environment is refused. Keys that are issued are for this one unless told.',
  'listen.public.address': 'IP address that partners reach; `0.0.0.0` and `::` are all.',
  'listen.public.port': 'Port for partners; 0 takes a free one.',
  'listen.public.url': 'Address under which partners reach the node, also when something stands in between.',
  'listen.public.tls.cert': 'PEM file with the chain of a public authority. Without it the node uses its own TLS key.',
  'listen.public.tls.key': 'PEM file with the private key of that certificate.',
  'listen.public.balancers':
    'Networks (CIDR) of balancers that hand TCP through and begin each connection with a header of the PROXY protocol (version 1 or 2): its address is the caller’s. A connection from there without that header is closed; from elsewhere none is read.',
  'listen.local.address': 'IP address for your own applications.',
  'listen.local.port': 'Port for your own applications.',
  'listen.local.authentication':
    'Whether applications must present an API key of this node: `keys`, or `open`. One that is presented is always checked.',
  'listen.local.allowInsecureRemote':
    'Lets the listener be reached from other machines. Whoever reaches it calls partners in your name, over plain HTTP.',
  'listen.admin.address': 'IP address of the admin API and `/metrics`.',
  'listen.admin.port': 'Port of the admin API.',
  'listen.admin.allowInsecureRemote':
    'Lets the admin API be reached from other machines, over plain HTTP: its token can be read on the way.',
  'listen.people.address':
    'IP address of the pages where people decide; nothing is served to them without this section.',
  'listen.people.port': 'Port of these pages.',
  'listen.people.allowInsecureRemote':
    'Lets the pages be reached from other machines over plain HTTP: for a TLS terminator on another machine, in a network that nobody else is in.',
  'listen.people.url': 'Address under which people reach the pages; links, cookies and passkeys are bound to it.',
  'listen.people.timeZone':
    'Time zone (IANA) in which the pages tell moments, such as `Europe/Zurich`; UTC when absent.',
  'listen.people.tls.cert': 'PEM file with the chain of a public authority. Without it something in front ends TLS.',
  'listen.people.tls.key': 'PEM file with the private key of that certificate.',
  'keys.directory': 'Folder of the keys, encrypted.',
  'keys.passphrase': 'Where the passphrase is that the keys are encrypted with. Either this or `keyFile`.',
  'keys.keyFile': 'File of 32 random bytes that the keys are encrypted with, instead of a passphrase.',
  'admin.token': 'Where the bearer token of the admin API is: at least 32 characters. `comity init` writes one.',
  'storage.directory': 'Folder of the database `comity.db`.',
  'log.directory':
    "Folder of the audit log's tiles and checkpoint, in the layout of C2SP tlog-tiles; served to everybody.",
  'receipts.directory': 'Folder that receipts are exported to.',
  'network.allowPrivateAddresses':
    'Networks (CIDR) that the node may call though they are not public. Without an entry no partner can make it call your own network.',
  'network.timeoutMs': 'Longest wait for a partner or a DID document.',
  'network.didCacheSeconds': 'How long a DID document is used before it is fetched again.',
  'products[].id': 'Name of the product in addresses: `/x/{id}/…`.',
  'products[].title': 'Name for people.',
  'products[].version': 'Version of the product; it stands in every receipt.',
  'products[].deprecated':
    'Since when, or from when on, callers should leave this version; callers read it in `Deprecation`. Beside a version without it, one with it is reached at `/x/{id}@{version}/…`.',
  'products[].sunset': 'From when on this version is refused; callers read it in `Sunset`.',
  'products[].successor':
    'What takes its place: `id` or `id@version` of one of your products; the current version of the same id when absent.',
  'products[].class':
    '`public`: anybody, rate limited. `partner`: an agreement is needed. `personal`: an agreement and the consent of the person are.',
  'products[].personal.subject.in': 'Where calls name the person, unless an operation says otherwise.',
  'products[].personal.subject.name': 'Parameter of the path or the query that names the person.',
  'products[].personal.subject.pointer': 'JSON pointer to what names the person in a body.',
  'products[].personal.rows':
    'Where the rows of an answer are: `items[]`, `[]`; the whole answer is one row when absent.',
  'products[].personal.date': 'Field of a row that says when its data are from; consents to a period need it.',
  'products[].personal.open': 'Members of answers that are about nobody and leave as they are, such as a total.',
  'products[].personal.domains.<name>':
    'Fields of rows that belong to this domain of data. Fields of no domain never leave.',
  'products[].personal.names.fields.<name>':
    'What people read for a field, as one text or one for each language; the title in the OpenAPI document when absent.',
  'products[].personal.names.domains.<name>': 'What people read for a domain, likewise; its id when absent.',
  'products[].personal.operations.<name>.subject.in': 'Where calls of this operation name the person.',
  'products[].personal.operations.<name>.subject.name': 'Parameter of the path or the query that names the person.',
  'products[].personal.operations.<name>.subject.pointer': 'JSON pointer to what names the person in a body.',
  'products[].personal.operations.<name>.action':
    'What consents call it; `read` for GET and HEAD, `delete` for DELETE, `write` for others when absent.',
  'products[].personal.operations.<name>.rows': 'Where the rows of its answers are, if elsewhere.',
  'products[].personal.operations.<name>.date': "Field of its rows' own date, if another.",
  'products[].personal.operations.<name>.open':
    'Open members of its answers, if others; none where it has `rows` of its own.',
  'products[].personal.operations.<name>.stream':
    'Whether its answers leave row by row while they arrive, for answers that are too large to hold.',
  'products[].personal.operations.<name>.body.rows':
    'Of an operation that changes: where the rows of its bodies are; the whole body is one row when absent.',
  'products[].personal.operations.<name>.body.open': 'Members of its bodies that calls may write without a label.',
  'products[].personal.operations.<name>.changes':
    'Fields that every call of it changes, whatever its body says; instead of `body`.',
  'products[].personal.withoutSubject': 'Operations about nobody; an agreement is enough for them.',
  'products[].personal.requestedFields': 'Query parameter in which a call lists the fields it wants, with commas.',
  'products[].personal.forwardRequestedFields': 'Whether that parameter goes on to the API.',
  'products[].personal.forwardReleasedFields':
    'Whether the API gets in that parameter the fields that may leave, whatever was asked for.',
  'products[].personal.upstreamQuery.fields.parameter': 'Query parameter of the API that lists the fields to answer.',
  'products[].personal.upstreamQuery.fields.separator': 'What stands between them.',
  'products[].personal.upstreamQuery.from.parameter': 'Query parameter of the API for the beginning of a period.',
  'products[].personal.upstreamQuery.from.format': 'How it is written; of a `date` the day in UTC, from its beginning.',
  'products[].personal.upstreamQuery.to.parameter': 'Query parameter of the API for the end of a period.',
  'products[].personal.upstreamQuery.to.format': 'How it is written; of a `date` the first day in UTC that is outside.',
  'products[].personal.upstreamQuery.filters.<name>':
    'Query parameter of the API for what this field must be equal to.',
  'products[].personal.withheld': 'Fields of which you know that they have no label; the node does not warn of them.',
  'products[].personal.sensitivity.default':
    'Level of fields of which nothing else is said; `confidential` when absent.',
  'products[].personal.sensitivity.domains.<name>': 'Level of the fields of this domain and of those below it.',
  'products[].personal.sensitivity.fields.<name>': 'Level of this field, whatever its domain.',
  'products[].data.rows': 'Where the rows of an answer are: `items[]`, `[]`; the whole answer is one row when absent.',
  'products[].data.date': 'Field of a row that says when its data are from.',
  'products[].data.open': 'Members of answers around the rows that leave as they are, such as a total.',
  'products[].data.domains.<name>':
    'Fields of rows that belong to this domain of data. Fields of no domain never leave.',
  'products[].data.sensitivity.default': 'Level of fields of which nothing else is said; `internal` when absent.',
  'products[].data.sensitivity.domains.<name>': 'Level of the fields of this domain and of those below it.',
  'products[].data.sensitivity.fields.<name>': 'Level of this field, whatever its domain.',
  'products[].data.operations.<name>.action':
    'What policies call it; `read` for GET and HEAD, `delete` for DELETE, `write` for others when absent.',
  'products[].data.operations.<name>.rows': 'Where the rows of its answers are, if elsewhere.',
  'products[].data.operations.<name>.date': "Field of its rows' own date, if another.",
  'products[].data.operations.<name>.open':
    'Open members of its answers, if others; none where it has `rows` of its own.',
  'products[].data.operations.<name>.stream':
    'Whether its answers leave row by row while they arrive, for answers that are too large to hold.',
  'products[].data.operations.<name>.body.rows':
    'Of an operation that changes: where the rows of its bodies are; the whole body is one row when absent.',
  'products[].data.operations.<name>.body.open': 'Members of its bodies that calls may write without a label.',
  'products[].data.operations.<name>.changes':
    'Fields that every call of it changes, whatever its body says; instead of `body`.',
  'products[].data.withoutData': 'Operations without labelled fields; their answers leave whole.',
  'products[].data.requestedFields': 'Query parameter in which a call lists the fields it wants, with commas.',
  'products[].data.forwardRequestedFields': 'Whether that parameter goes on to the API.',
  'products[].data.forwardReleasedFields':
    'Whether the API gets in that parameter the fields that may leave, whatever was asked for.',
  'products[].data.upstreamQuery.fields.parameter': 'Query parameter of the API that lists the fields to answer.',
  'products[].data.upstreamQuery.fields.separator': 'What stands between them.',
  'products[].data.upstreamQuery.from.parameter': 'Query parameter of the API for the beginning of a period.',
  'products[].data.upstreamQuery.from.format': 'How it is written; of a `date` the day in UTC, from its beginning.',
  'products[].data.upstreamQuery.to.parameter': 'Query parameter of the API for the end of a period.',
  'products[].data.upstreamQuery.to.format': 'How it is written; of a `date` the first day in UTC that is outside.',
  'products[].data.upstreamQuery.filters.<name>': 'Query parameter of the API for what this field must be equal to.',
  'products[].data.withheld': 'Fields of which you know that they have no label; the node does not warn of them.',
  'products[].references.operations':
    'Operations whose answer is a reference: a link that the same caller resolves once, past every check anew.',
  'products[].references.seconds': 'How long a reference lives.',
  'products[].operations.<name>.cost':
    'Units of the limits that a call of this operation takes; 1 where nothing is said.',
  'products[].operations.<name>.cost.perItem':
    'Instead of a number: one unit for each entry of the array of the request body at this JSON pointer (RFC 6901).',
  'products[].upstream': 'Base address of the API behind the product.',
  'products[].upstreamHeaders.<name>':
    'A header field that goes with every call to the API, its credential for example.',
  'products[].keys':
    'Which API keys open the product: `none`, `plain` (those that sign too), or `hmac` (only those that sign). Public products take `plain` unless told, others `none`; personal products never take any.',
  'products[].environment': "Whether its data are real, where that is not as the node's `environment` says.",
  'products[].requireClientCertificate': "Demands the caller's TLS key, which its DID document must name.",
  'products[].sealing.answers':
    '`off`: answers travel inside TLS only. `offered`: sealed to callers that can open them. `required`: sealed, or refused.',
  'products[].sealing.requests':
    '`off`: nothing is asked of request bodies. `offered`: partners may seal them. `required`: only sealed ones are taken.',
  'products[].sealing.algorithms': 'Algorithms in order of preference, of those of the node; all of these when absent.',
  'products[].openapi': 'OpenAPI 3.1 document (YAML or JSON). What it does not declare cannot be called.',
  'products[].limits.requestBytes': 'Largest request body.',
  'products[].limits.answerBytes': 'Largest answer.',
  'products[].limits.streamBytes': 'Largest answer that is streamed.',
  'products[].limits.streamIdleMs':
    'How long the upstream may send nothing within a streamed answer, and the recipient take nothing of it; either is cut off then.',
  'products[].limits.timeoutMs': 'Longest wait for the API.',
  'products[].limits.connectTimeoutMs': 'Longest wait for a connection to the API.',
  'products[].limits.concurrency': 'Calls to the API at once.',
  'products[].limits.rate.requests': 'Calls that each caller may make in `perSeconds`.',
  'products[].limits.rate.perSeconds': 'Period of that rate.',
  'products[].limits.rate.burst': 'Calls that may come at once; as many as `requests` when absent.',
  'products[].limits.rate.onStoreFailure':
    'When replicas share their limits and the store cannot be asked: `admit` (when absent) lets this node count alone, `refuse` refuses.',
  'products[].circuit.failures': 'Failures in a row after which the API is spared.',
  'products[].circuit.openMs': 'How long it is spared the first time; doubled while it does not recover.',
  'products[].circuit.maxOpenMs': 'How long it is spared at most.',
  'partners[].alias': 'Name for addresses and commands: `http://127.0.0.1:8081/{alias}/…`.',
  'partners[].did': 'The DID of the partner.',
  'partners[].url': "Address of the partner's node; from its DID document when absent.",
  'partners[].fingerprints':
    "SHA-256 fingerprints of the partner's TLS keys (SubjectPublicKeyInfo), compared out of band. Without one a public authority must vouch for the address.",
  'partners[].requireClientCertificate': "Demands the partner's TLS key on every call.",
  'partners[].name': 'How people know the partner; shown to them instead of what it says of itself.',
  'partners[].country':
    'Where the partner takes what it receives (ISO 3166-1, such as `CH`). Without it no consent that names places covers its calls.',
  'partners[].sealing.answers':
    "What this node asks of the partner's answers. `offered`: sealed where the partner's document announces it. `required`: refused in clear.",
  'partners[].sealing.requests':
    "`offered`: bodies are sealed where the partner's document announces that it takes them so. `required`: always, or nothing is sent.",
  'partners[].sealing.algorithms': 'Algorithms in order of preference, of those of the node; all of these when absent.',
  'webhooks[].url': 'A system of your own that is told of events: https, or http on this machine.',
  'webhooks[].secret':
    'Where the secret is that messages are signed with: `whsec_` and base64 of 24 to 64 bytes, or `whsk_` and an Ed25519 key; `comity webhooks secret` makes either.',
  'webhooks[].events': 'What it is told of; everything when absent.',
  'webhooks[].fingerprints':
    "SHA-256 fingerprints of the system's TLS keys. Without one a public authority must vouch for the address.",
  'webhooks[].timeoutMs': 'Longest wait for its answer.',
  'webhooks[].giveUpAfterHours':
    'How long a message is tried; then it is a dead letter, which `comity webhooks replay` sends again within 30 days.',
  'replicas[].partner': 'Alias or DID of the partner whose answers are kept.',
  'replicas[].product': 'Id of its product. Kept is only what agreement and consent allow to be.',
  'replicas[].operations': 'Operation ids; all when absent.',
  'replicas[].maxAge':
    'How old an answer may be that a replica gives (ISO 8601 duration, such as `PT15M`); a call may ask for a younger one.',
  'replicas[].refresh':
    '`on-demand`, or how often what is kept is asked for anew without a call (ISO 8601 duration): each time is a use.',
  'policy.directory':
    'Folder of your policies: every `*.cedar` file below it. Without it policies are set over the admin API.',
  'policy.engine':
    "`compiled` decides by functions made of the policies; `cedar` by Cedar's own WebAssembly, slower and with some 30 MB more memory.",
  'policy.keepDecisions': 'Newest decisions that are kept for `comity policy explain` and `diff`.',
  'sealing.algorithms':
    'What contents are sealed with at all, in order of preference: `HPKE-9` (X25519 with ML-KEM-768), `HPKE-3` (X25519), `ECDH-ES+A256KW` (JWE with X25519).',
  'limits.connections':
    'Open connections of the public listener. One address may have half of them, and an eighth when half are open; not so with `listen.public.balancers`.',
  'limits.headerBytes': 'Size of all header fields of a request.',
  'limits.headersTimeoutMs': 'Longest time for the header fields to arrive.',
  'limits.requestTimeoutMs':
    'Longest time for a whole request to arrive, and for its answer to be taken, which at 16 KiB a second may take longer.',
  'limits.keepAliveMs': 'How long an idle connection stays open.',
  'limits.drainMs': 'How long running calls may take to end when the node stops.',
  'limits.nonces': 'Nonces that are remembered. When all are in use, new calls are refused, never forgotten.',
  'limits.clockSkewSeconds': "How far a partner's clock may be ahead or behind.",
  'limits.perAddress.requests': 'Requests of one IP address in `perSeconds`, before anything is verified.',
  'limits.perAddress.perSeconds': 'Period of that rate.',
  'limits.failures.requests':
    'Failed authentications of one IP address with one claimed key in `perSeconds` before failures are answered with `rate-limited`, and signatures of strangers are not verified; ten times as many of an address.',
  'limits.failures.perSeconds': 'Period of that rate.',
  'limits.consentRequests.requests':
    'Requests for consent that each partner may send in `perSeconds`. Each keeps rows, and may be brought to a person.',
  'limits.consentRequests.perSeconds': 'Period of that rate.',
  'limits.store': 'Where limits are counted: `memory` of this node, or a server that replicas share, as `redis`.',
  'limits.store.redis.url':
    'Where the address of a Redis or Valkey server is, `redis://` or `rediss://` with its credentials.',
  'limits.store.redis.prefix': 'Before every key on the server; the same for all replicas, another for other nodes.',
  'limits.store.redis.timeoutMs': 'Longest wait of a call for the server.',
  'limits.store.redis.leaseSeconds': 'How long after the end of a node its calls under way still count as such.',
  'limits.nearQuotaPercent': 'From so much of a quota on the webhook `quota.near` is sent, once in its period.',
  'limits.rules[].name': 'Name under which the limit is announced, refuses and is counted.',
  'limits.rules[].by':
    'What is counted for itself: `participant`, `key`, `client`, `product`, `operation`, `address`, `subject`; with none, all calls together.',
  'limits.rules[].for.products': 'Ids of products; all when absent.',
  'limits.rules[].for.operations': 'Operations as `product/operation`; all when absent.',
  'limits.rules[].for.participants': 'Aliases or DIDs of partners; everybody when absent.',
  'limits.rules[].for.clients': 'Ids of clients with API keys; everybody when absent.',
  'limits.rules[].for.credential': 'Kinds of credentials that a call comes with; any when absent.',
  'limits.rules[].algorithm':
    '`gcra` (when absent) is smooth, with a burst; with `sliding-window` no stretch of `perSeconds` ever has more than `units`.',
  'limits.rules[].units': 'Units in `perSeconds`; a call takes as many as its operation costs.',
  'limits.rules[].perSeconds': 'Period of that rate.',
  'limits.rules[].burst': 'Units that may come at once; as many as `units` when absent.',
  'limits.rules[].quota.units': 'Units in each day or month.',
  'limits.rules[].quota.per': 'By the calendar, in UTC.',
  'limits.rules[].concurrency': 'Calls at once; a streamed answer counts until its end.',
  'limits.rules[].onStoreFailure':
    'When replicas share their limits and the store cannot be asked: `refuse` refuses the call, `admit` lets this node count alone.',
  'usage.keepDays': 'How many days it is known how much was called.',
  'usage.hourlyDays': 'How many of these days are told by hours. Forecasts look no further back.',
  'telemetry.level': 'Least level of what is logged to standard output. Allowed exchanges are at `debug`.',
  'telemetry.traces.endpoint':
    'OTLP/HTTP collector; `/v1/traces` is added when the address has no path. No traces when absent.',
  'telemetry.traces.ratio': 'Share of exchanges that are traced.',
  'telemetry.traces.headers.<name>': 'A header field for the collector, its credential for example.',
}
