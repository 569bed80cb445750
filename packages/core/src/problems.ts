/** Every error that a person or a program may meet, in one table: code, HTTP status, title. The reference page
 *  `docs/problems.md` is generated from it. Errors travel as RFC 9457 problem documents. */

interface ProblemKind {
  /** HTTP status that carries it. */
  readonly status: number
  /** What went wrong, the same words every time (RFC 9457 §3.1.3). */
  readonly title: string
  /** What the reader can do about it. */
  readonly remedy: string
  /** Where others have named this kind of problem already: their type (RFC 9457 §3.1.1). */
  readonly type?: string
}

/** Of draft-ietf-httpapi-ratelimit-headers. */
const quotaExceeded = 'https://iana.org/assignments/http-problem-types#quota-exceeded'
const reducedCapacity = 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity'

const kinds = {
  // The shape of a message
  'malformed-request': {
    status: 400,
    title: 'The request is malformed',
    remedy: 'Correct the part that `detail` names and send it again.',
  },
  'json-invalid': {
    status: 400,
    title: 'The body is not JSON',
    remedy: 'Send one JSON value (RFC 8259), with no half of a surrogate pair in its texts.',
  },
  'json-duplicate-member': {
    status: 400,
    title: 'An object of the body has a member twice',
    remedy: 'Name each member of an object once: two programs could read it differently.',
  },
  'json-too-deep': {
    status: 400,
    title: 'The body is nested too deeply',
    remedy: 'Send at most 64 objects and lists inside each other.',
  },
  'json-too-wide': {
    status: 400,
    title: 'The body is too wide',
    remedy:
      'Send at most 65,536 members in one object, 1,048,576 elements in one list and 262,144 numbers that a double would change.',
  },
  'text-not-utf8': { status: 400, title: 'The body is not UTF-8', remedy: 'Send text and JSON in UTF-8.' },
  'malformed-key': { status: 400, title: 'The key is malformed', remedy: 'Give an Ed25519 or P-256 key as a JWK.' },
  'malformed-jws': {
    status: 400,
    title: 'The signed token cannot be read',
    remedy: 'Send a compact JWS (RFC 7515) without `crit` and `b64`, of the type that is asked for.',
  },
  'target-too-long': {
    status: 414,
    title: 'The address is too long',
    remedy: 'Send a shorter path or query; long parameters belong in a body.',
  },
  'header-duplicated': {
    status: 400,
    title: 'A header field that must be single is repeated',
    remedy: 'Send the field that `detail` names once.',
  },
  'body-too-large': {
    status: 413,
    title: 'The body is too large',
    remedy: 'Send a smaller body, or ask the holder for a higher limit.',
  },
  'headers-too-large': {
    status: 431,
    title: 'The header fields are too large',
    remedy: 'Send fewer or shorter header fields.',
  },
  'request-timeout': {
    status: 408,
    title: 'The request took too long to arrive',
    remedy: 'Send the whole request faster.',
  },
  misdirected: {
    status: 421,
    title: 'This node does not serve that authority',
    remedy: "Use the address in the participant's DID document.",
  },
  'not-found': {
    status: 404,
    title: 'There is nothing here',
    remedy: "Check the address against the product's description; of the admin API, `/docs` lists all addresses.",
  },
  'method-not-allowed': {
    status: 405,
    title: 'The operation does not exist with this method',
    remedy: 'Use a method that `allow` lists.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The content type is not one the operation takes',
    remedy: 'Send one of the content types in `accepted`.',
  },
  'invalid-parameters': {
    status: 400,
    title: 'The parameters do not match the operation',
    remedy: 'Correct what `errors` lists.',
  },
  'invalid-body': {
    status: 422,
    title: "The body does not match the operation's schema",
    remedy: 'Correct what `errors` lists.',
  },
  'internal-error': {
    status: 500,
    title: 'The node failed',
    remedy: 'Try again later; give the operator the `requestId`.',
  },

  // Identity and signatures
  'signature-missing': {
    status: 401,
    title: 'The request is not signed',
    remedy: 'Sign it as RFC 9421 with the tag `comity-req`; where `detail` names API keys, one of them does too.',
  },
  'signature-malformed': {
    status: 400,
    title: 'The signature cannot be read',
    remedy: 'Send `Signature-Input` and `Signature` as RFC 9421 writes them.',
  },
  'signature-coverage': {
    status: 401,
    title: 'The signature does not cover what it must',
    remedy: 'Cover the components that `missing` lists.',
  },
  'signature-invalid': {
    status: 401,
    title: 'The signature does not verify',
    remedy: 'Sign exactly the request that is sent, with the key that `keyid` names.',
  },
  'signature-algorithm': {
    status: 401,
    title: 'The signature algorithm is not accepted',
    remedy: 'Use `ed25519` or `ecdsa-p256-sha256`, the one that the key is for.',
  },
  'signature-stale': {
    status: 401,
    title: 'The request is outside its time window',
    remedy: 'Set the clock (see `serverTime`) and sign again with a fresh `created`.',
  },
  'nonce-replayed': {
    status: 401,
    title: 'The nonce was used before',
    remedy: 'Sign each request, a retry too, with a fresh nonce.',
  },
  'nonce-store-full': {
    status: 503,
    title: 'The node cannot remember more nonces now',
    remedy: 'Try again after `Retry-After`.',
  },
  'digest-mismatch': {
    status: 400,
    title: 'The body is not the one that was digested',
    remedy: 'Compute `Content-Digest` over the body exactly as sent.',
  },
  'key-unknown': {
    status: 401,
    title: 'The key is not known',
    remedy:
      'Of a participant: publish the key in the DID document for this purpose, or use one that is there. Of a client: use an API key as it was issued by this very node; one that signs signs with the 32 characters of its secret, over exactly the request that is sent.',
  },
  'participant-unknown': {
    status: 403,
    title: 'The participant is not a partner of this node',
    remedy: 'Ask the holder to add your DID with `comity partners add`.',
  },
  'did-invalid': { status: 400, title: 'The DID cannot be used', remedy: 'Use a did:web, did:key or did:jwk.' },
  'did-unresolvable': {
    status: 502,
    title: 'The DID document cannot be had',
    remedy: "Check that the participant's node is reachable; `comity doctor` tells more.",
  },
  'address-forbidden': {
    status: 403,
    title: 'The address is private and may not be called',
    remedy: 'Allow the network under `network.allowPrivateAddresses` if it is yours.',
  },
  'client-certificate-required': {
    status: 401,
    title: 'A client certificate of the caller is required',
    remedy:
      'Present the TLS key that your DID document names; of a did:key or did:jwk, the one whose fingerprint the holder trusts.',
  },
  'tls-untrusted': {
    status: 502,
    title: "The partner's TLS key is not trusted",
    remedy:
      'Compare the fingerprint out of band; when it is right, `comity partners remove`, then `comity partners add` with it.',
  },

  // API keys
  'key-malformed': {
    status: 401,
    title: 'This is not an API key',
    remedy: 'Present the key exactly as it was issued: `cmty_…`, 57 characters.',
  },
  'key-required': {
    status: 401,
    title: 'An API key is required',
    remedy: 'Send it as `Authorization: Bearer cmty_…` or `X-API-Key: cmty_…`.',
  },
  'key-environment': {
    status: 401,
    title: 'The API key is for the other environment',
    remedy: 'Use a `cmty_live_` key where data is real, and a `cmty_test_` key where it is not.',
  },
  'key-expired': {
    status: 401,
    title: 'The API key has ended',
    remedy: 'Use its successor, or ask for a new key.',
  },
  'key-not-yet-valid': {
    status: 401,
    title: 'The API key is not valid yet',
    remedy: 'Wait until `validFrom`, or set the clock.',
  },
  'key-revoked': {
    status: 401,
    title: 'The API key was revoked',
    remedy: 'Ask for a new key.',
  },
  'key-disabled': {
    status: 401,
    title: 'The API key is disabled',
    remedy: 'Ask who issued it to enable it again.',
  },
  'key-network': {
    status: 403,
    title: 'The API key may not be used from this network',
    remedy:
      'Call from a network that the key was issued for, or ask for that of `address`, from where you called, to be added.',
  },
  'key-scope': {
    status: 403,
    title: 'The scope of the API key does not cover this',
    remedy: 'Use a key whose scope does, or ask for a wider one.',
  },
  'key-use': {
    status: 401,
    title: 'The API key cannot be used in this way',
    remedy:
      'Read `detail`: a key of the use `hmac` signs and is never sent, one of the use `plain` is sent. Where no keys are taken, call through your own node, or ask the holder for `keys: plain` or `keys: hmac` at the product.',
  },
  'key-in-query': {
    status: 400,
    title: 'An API key must not be in the address',
    remedy: 'Send it in a header field, and have this one replaced: addresses are written to logs.',
  },
  'credential-duplicated': {
    status: 400,
    title: 'The request carries more than one credential',
    remedy: 'Send one: a signature, or an API key in one header field.',
  },
  'sequence-stale': {
    status: 401,
    title: 'The sequence number is missing, or not higher than the last one',
    remedy: 'Send and sign with each request a higher `Comity-Sequence` than the last one.',
  },
  'client-unknown': {
    status: 404,
    title: 'There is no such client',
    remedy: '`comity clients list` shows those that are there.',
  },
  'api-key-unknown': {
    status: 404,
    title: 'There is no such API key',
    remedy: '`comity api-keys list` shows those that are there.',
  },
  'api-key-state': {
    status: 409,
    title: 'The API key cannot do that in its present state',
    remedy: 'Read `state`: a key that was revoked or retired has ended for good.',
  },
  'key-rotation-unknown': {
    status: 404,
    title: 'There is no such rotation',
    remedy: '`comity api-keys rotations` shows those that are there.',
  },

  // Limits
  'rate-limited': {
    status: 429,
    title: 'Too many requests',
    remedy: 'Wait for `Retry-After`; pace calls by the `RateLimit` field.',
    type: quotaExceeded,
  },
  'quota-exceeded': {
    status: 429,
    title: 'The quota is used up',
    remedy: 'Wait for `Retry-After`, when the next day or month begins, or ask the holder for a higher quota.',
    type: quotaExceeded,
  },
  'concurrency-limited': {
    status: 429,
    title: 'Too many requests at once',
    remedy: 'Wait for running calls to end, then try again.',
  },
  'batch-too-large': {
    status: 413,
    title: 'The call costs more than a limit ever admits at once',
    remedy: 'Waiting does not help: split the batch, so that each call costs at most `largest` units.',
  },
  'limits-unavailable': {
    status: 503,
    title: 'The node cannot count its limits now',
    remedy: 'Try again after `Retry-After`; the operator must look at the store of the limits.',
    type: reducedCapacity,
  },

  // Agreements
  'agreement-required': {
    status: 403,
    title: 'No agreement in force covers this call',
    remedy: 'Make an agreement for the product, operation and purpose: `comity agreements draft`.',
  },
  'agreement-ambiguous': {
    status: 409,
    title: 'Several agreements cover this call',
    remedy: 'Name one of `agreements` in the header field `Comity-Agreement`.',
  },
  'agreement-terminated': {
    status: 403,
    title: 'The agreement was terminated',
    remedy: 'Make a new agreement with the partner.',
  },
  'agreement-expired': {
    status: 403,
    title: 'The agreement is not in force at this time',
    remedy: 'Renew the agreement, or wait until it begins.',
  },
  'agreement-purpose': {
    status: 403,
    title: 'The agreement does not allow this purpose',
    remedy: 'Use a purpose of the agreement, or agree on this one.',
  },
  'agreement-operation': {
    status: 403,
    title: 'The agreement does not allow this operation',
    remedy: 'Use an operation of the agreement, or agree on this one.',
  },
  'agreement-malformed': { status: 422, title: 'The agreement cannot be read', remedy: 'Correct what `errors` lists.' },
  'agreement-unenforceable': {
    status: 422,
    title: 'The agreement holds a rule that this node cannot enforce',
    remedy: 'Remove or rephrase the rules that `errors` lists.',
  },
  'agreement-signature': {
    status: 422,
    title: 'A signature of the agreement does not verify',
    remedy: 'Have the participant that `detail` names sign this exact document.',
  },
  'agreement-conflict': {
    status: 409,
    title: 'Another agreement with this id is known',
    remedy: 'Give the changed agreement a new id.',
  },
  'agreement-unknown': {
    status: 404,
    title: 'The agreement is not known here',
    remedy: '`comity agreements list` shows those that are.',
  },
  'purpose-required': {
    status: 400,
    title: 'The call states no purpose',
    remedy: "Send the purpose's IRI in the header field `Comity-Purpose`.",
  },

  'precondition-failed': {
    status: 412,
    title: 'What is there has changed in the meantime',
    remedy: 'Read it again, bring your change to what it is now, and send its `ETag` as `If-Match`.',
  },

  // Idempotency
  'idempotency-key-invalid': {
    status: 400,
    title: 'The idempotency key cannot be used',
    remedy: 'Send a quoted string of 1 to 128 characters.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'The idempotency key was used with another request',
    remedy: 'Use a new key for a new request.',
  },
  'idempotency-in-progress': {
    status: 409,
    title: 'The first request with this idempotency key is still running',
    remedy: 'Try again after `Retry-After`.',
  },
  'outcome-unknown': {
    status: 409,
    title: 'It is not known whether the first request took effect',
    remedy: 'Ask the holder; the node stopped between the call and its record.',
  },
  'reference-invalid': {
    status: 404,
    title: 'This reference cannot be resolved',
    remedy: 'It was used, has expired, or was not given to you: ask for the data again, and resolve the new reference.',
  },

  'quota-unknown': {
    status: 404,
    title: 'There is no such quota, or it is not counted by that',
    remedy:
      'Name a quota of `limits.rules`, and what it counts by in the order of its `by`, as `quota.near` tells it: `participant=did:web:lab.example product=readings`; `all` where it counts by nothing.',
  },
  'quota-request-unknown': {
    status: 404,
    title: 'There is no such request for a quota',
    remedy: '`comity quotas requests` shows those of others, `comity quotas list` the own ones.',
  },
  'quota-request-invalid': {
    status: 422,
    title: 'The request for a quota cannot be taken',
    remedy:
      'Correct what `detail` says; a request names a quota that `RateLimit-Policy` names, and asks for more units.',
  },
  'quota-request-state': {
    status: 409,
    title: 'The request for a quota does not allow that now',
    remedy:
      '`detail` says how the request stands: an open one waits for its decision; what was decided, withdrawn or is over stays so.',
  },
  'webhook-unknown': {
    status: 404,
    title: 'There is no such message, or no such system',
    remedy: '`comity webhooks list` shows what waits, dead letters, and where they go.',
  },
  'client-webhook-unknown': {
    status: 404,
    title: 'The client has no such webhook',
    remedy: '`comity clients webhooks list <client>` shows those that are there.',
  },
  'client-webhook-refused': {
    status: 409,
    title: 'The webhook cannot be added or changed so',
    remedy: 'The detail says what is in the way: too many webhooks, or too many secrets at a time.',
  },
  'replica-missing': {
    status: 504,
    title: 'No replica may answer this call',
    remedy: '`reason` says why; with `Comity-Replica: prefer` the partner is asked.',
  },
  'replica-unknown': {
    status: 404,
    title: 'There is no such replica',
    remedy: '`comity replicas list` shows those that this node keeps.',
  },

  // Composites
  'composite-mixed': {
    status: 422,
    title: 'The parts of the composite are about different people',
    remedy: 'Ask for each person in a composite of its own.',
  },
  'composite-overflow': {
    status: 422,
    title: 'The answer does not fit into the composite',
    remedy: 'Ask for this part by itself.',
  },

  // The upstream
  'upstream-unreachable': {
    status: 502,
    title: 'The API behind the node cannot be reached',
    remedy: 'Try again later.',
  },
  'upstream-lost': {
    status: 502,
    title: 'The API behind the node took the call and gave no whole answer',
    remedy: 'Whether the call took effect is not known; a read can be tried again.',
  },
  'upstream-timeout': {
    status: 504,
    title: 'The API behind the node did not answer in time',
    remedy: 'Try again later.',
  },
  'upstream-invalid': {
    status: 502,
    title: 'The API behind the node answered against its description',
    remedy: 'Tell the holder; nothing of the answer was released.',
  },
  'upstream-error': { status: 502, title: 'The API behind the node failed', remedy: 'Try again later.' },
  'upstream-too-large': {
    status: 502,
    title: 'The answer is larger than the product allows',
    remedy: 'Ask for less at once.',
  },
  'upstream-unavailable': {
    status: 503,
    title: 'The API behind the node is being spared',
    remedy: 'Try again after `Retry-After`.',
  },

  // The outbound side
  'partner-unknown': {
    status: 404,
    title: 'The partner is not known to this node',
    remedy: 'Add it with `comity partners add`, or use its DID.',
  },
  'partner-unreachable': {
    status: 502,
    title: "The partner's node cannot be reached",
    remedy: 'Try again later; `comity doctor` tells more.',
  },
  'partner-timeout': { status: 504, title: "The partner's node did not answer in time", remedy: 'Try again later.' },
  'answer-unsigned': {
    status: 502,
    title: "The partner's answer is not signed",
    remedy: 'Tell the partner; nothing of the answer was handed on.',
  },
  'answer-unbound': {
    status: 502,
    title: "The partner's answer does not belong to this request",
    remedy: 'Tell the partner; nothing of the answer was handed on.',
  },
  'answer-invalid': {
    status: 502,
    title: "The partner's answer does not verify",
    remedy: 'Tell the partner; nothing of the answer was handed on.',
  },
  'stream-cut': {
    status: 502,
    title: 'The answer was cut off before its end',
    remedy: 'Believe nothing of what came without its trailers; a read can be tried again.',
  },
  'stream-too-large': {
    status: 502,
    title: 'The streamed answer is too long to be read whole',
    remedy: 'Call over HTTP/1.1, which takes an answer of any length as it comes, or ask for less.',
  },
  'answer-unusable': {
    status: 502,
    title: 'The remote server answered in a way that cannot be used',
    remedy: 'Tell the operator of that server what `detail` says.',
  },
  'local-caller-refused': {
    status: 403,
    title: 'This listener is for local applications only',
    remedy: 'Call it from this machine, by its own address, and not from a web page.',
  },

  // Evidence
  'record-failed': {
    status: 503,
    title: 'The exchange could not be recorded, so nothing was released',
    remedy: 'Try again later; the operator must look at the storage.',
  },
  'receipt-invalid': {
    status: 422,
    title: 'The receipt does not verify',
    remedy: 'Ask the holder for the receipt of this exchange again.',
  },
  'receipt-unknown': { status: 404, title: 'There is no receipt of that id for you', remedy: 'Check the exchange id.' },
  'proof-pending': {
    status: 503,
    title: 'The entry is not in a signed checkpoint yet',
    remedy: 'Try again after `Retry-After`.',
  },
  'proof-invalid': {
    status: 422,
    title: 'The proof does not verify',
    remedy: 'Fetch it again from the log that the receipt names.',
  },
  'malformed-checkpoint': {
    status: 422,
    title: 'The checkpoint cannot be read',
    remedy: 'Fetch it again; the format is c2sp.org/tlog-checkpoint.',
  },
  'malformed-note': {
    status: 422,
    title: 'The signed note cannot be read',
    remedy: 'Fetch it again; the format is c2sp.org/signed-note.',
  },
  'note-unverified': {
    status: 422,
    title: 'The signed note does not verify',
    remedy: 'Compare the verifier key with the one that the participant publishes, then fetch the note again.',
  },
  'event-invalid': {
    status: 400,
    title: 'The security event token is not acceptable',
    remedy: 'Send a signed RFC 8417 token for this audience.',
  },

  // Consent
  'consent-required': {
    status: 403,
    title: 'No consent covers this call',
    remedy:
      'Name a consent that is held (`Comity-Consent`), or its person by the pairwise id; else ask for one with `POST /consents/requests`. Whether a person exists is never told.',
  },
  'consent-token-invalid': {
    status: 401,
    title: 'The consent token does not verify',
    remedy: 'Fetch a fresh token, and present it with the key that it is bound to.',
  },
  'consent-token-expired': {
    status: 401,
    title: 'The consent token has expired',
    remedy: 'Fetch a fresh one; it is renewed as long as the consent is active.',
  },
  'consent-inactive': {
    status: 403,
    title: 'The consent is not in force',
    remedy:
      'Read `state`: a requested one waits for the person, a paused one may come back, an ended one needs a new request.',
  },
  'consent-superseded': {
    status: 409,
    title: 'The consent has changed since the token was issued',
    remedy: 'Repeat the call with a fresh token, which an application’s own node fetches, and read its new terms.',
  },
  'consent-scope': {
    status: 403,
    title: 'The consent does not cover this',
    remedy: 'Ask for what was granted, or ask the person for more.',
  },
  'consent-purpose': {
    status: 403,
    title: 'The consent was given for another purpose',
    remedy: 'State a purpose that was consented to in `Comity-Purpose`.',
  },
  'consent-quota': {
    status: 429,
    title: 'The consent allows no more calls now',
    remedy: 'Wait for `Retry-After`, where there is one; else all uses are spent.',
  },
  'consent-place': {
    status: 403,
    title: 'The consent does not allow the data to go to this place',
    remedy: 'Call from a country that was consented to.',
  },
  'consent-unknown': {
    status: 404,
    title: 'There is no such consent for you',
    remedy: 'Check the id; a consent is shown to its own parties only.',
  },
  'consent-ambiguous': {
    status: 409,
    title: 'Several consents could cover this call',
    remedy: 'Name one of `consents` in the header field `Comity-Consent`.',
  },
  'consent-state': {
    status: 409,
    title: 'The consent cannot do that in its present state',
    remedy: 'Read `state` and what is possible from there.',
  },
  'consent-request-invalid': {
    status: 422,
    title: 'The consent request cannot be used',
    remedy: 'Correct what `errors` lists; the node takes only what it can enforce.',
  },
  'consent-choice-invalid': {
    status: 422,
    title: 'The decision is not a part of what was asked',
    remedy: 'Choose among the grants and fields of the request, for no longer than asked.',
  },
  'consent-proof-invalid': {
    status: 422,
    title: 'The proof of the decision does not verify',
    remedy: 'Sign the hash of exactly this record, and send it once.',
  },
  'consent-record-invalid': {
    status: 422,
    title: 'The consent record does not verify',
    remedy: 'Export it again from the node that keeps it.',
  },
  'delegation-refused': {
    status: 403,
    title: 'This may not be delegated so',
    remedy: 'Delegate less than you were given, to whom and as deep as the consent allows.',
  },
  'status-unavailable': {
    status: 503,
    title: 'The status of the token cannot be had',
    remedy: 'Try again later; a token whose status is not known does not count.',
  },
  'status-list-invalid': {
    status: 422,
    title: 'The status list does not verify',
    remedy: 'Fetch it again from the address that the token names.',
  },
  'subject-erased': {
    status: 410,
    title: 'The person was erased',
    remedy: 'Nothing of the person is kept; there is nothing to do.',
  },
  'link-invalid': {
    status: 404,
    title: 'This link does not work any more',
    remedy: 'It was used, is too old, or is not complete; ask the organisation that sent it for a new one.',
  },
  'session-required': {
    status: 401,
    title: 'You are not signed in',
    remedy: 'Open a link that the organisation sends you.',
  },
  'form-refused': {
    status: 403,
    title: 'The form was not sent from its own page',
    remedy: 'Open the page again and send the form from there.',
  },
  'template-invalid': {
    status: 422,
    title: 'The consent template does not verify',
    remedy: 'Correct what `errors` lists, or use another organisation’s as it was signed.',
  },
  'duty-receipt-invalid': {
    status: 422,
    title: 'The receipt of a duty does not verify',
    remedy: 'Sign it for this duty, with a key of the participant that owes it.',
  },
  'duty-unknown': {
    status: 404,
    title: 'There is no such duty',
    remedy: '`comity duties list` shows those that stand.',
  },
  'rights-request-invalid': {
    status: 422,
    title: 'The request cannot be used',
    remedy: 'Correct what `errors` lists.',
  },
  'rights-request-unknown': {
    status: 404,
    title: 'There is no such request for you',
    remedy: 'Check the id; a request is shown to its own person only.',
  },
  'rights-request-state': {
    status: 409,
    title: 'The request cannot do that in its present state',
    remedy: 'Read `status` and what is still open.',
  },

  // The holder's own rules
  'policy-denied': {
    status: 403,
    title: "The holder's policies do not allow the call",
    remedy: 'Read `advice` where there is one; else ask the holder what the call would need.',
  },
  'policy-failed': {
    status: 500,
    title: "The holder's policies could not be applied to the call",
    remedy: 'Nothing was decided, so nothing left. Ask the holder, whose log says why.',
  },
  'policy-invalid': {
    status: 422,
    title: 'The policies cannot be used',
    remedy: 'Correct what is listed, for programs in `errors`. A set that was in force stays in force.',
  },
  'policy-outdated': {
    status: 409,
    title: 'The policies have changed in the meantime',
    remedy: 'Read the version in force, bring your change to it, and name it as `expected`.',
  },
  'policy-unknown': {
    status: 404,
    title: 'There is no such set or decision of policies',
    remedy: '`comity policy versions` lists the sets; decisions are kept for the newest exchanges only.',
  },
  'policy-in-files': {
    status: 409,
    title: 'The policies of this node are files',
    remedy: 'Change the files in `policy.directory`, then run `comity policy reload`.',
  },
  'relationship-refused': {
    status: 409,
    title: 'The relationship cannot be written',
    remedy: 'Read `detail`: it says how a relationship is written and what cannot be one.',
  },

  // Running a node
  'config-invalid': {
    status: 500,
    title: 'The configuration is wrong',
    remedy: 'Correct what is listed; `comity config check` lists every mistake.',
  },
  'config-not-named': {
    status: 400,
    title: 'The configuration was not named',
    remedy: 'Look at it, and name it if it is yours: `comity -c comity.yaml` and the command.',
  },
  'schema-mismatch': {
    status: 500,
    title: 'The database does not fit this version of Comity',
    remedy: 'Start the version that wrote it, or a newer one; never edit a migration that was applied.',
  },
  'openapi-invalid': {
    status: 422,
    title: 'The OpenAPI document cannot be used',
    remedy: 'Correct what `errors` lists; the node takes self-contained OpenAPI 3.1 documents.',
  },
  'product-version-ended': {
    status: 410,
    title: 'This version of the product is no longer offered',
    remedy: 'Call the version that `successor` names; `Link` has its address.',
  },
  'product-unknown': {
    status: 404,
    title: 'The product is not known here',
    remedy: '`comity products list` shows those that are.',
  },
  'listener-failed': {
    status: 500,
    title: 'A listener cannot be opened',
    remedy: 'Free the port, or name another address and port under `listen` in the configuration.',
  },
  'data-in-use': {
    status: 500,
    title: 'Another process uses this data directory',
    remedy: 'Stop the other node, or give this one a directory of its own.',
  },
  'log-inconsistent': {
    status: 500,
    title: 'The log on disk contradicts the database',
    remedy:
      'Where only files of the log were lost, `comity log rebuild`; else put back log and database of one moment.',
  },
  'keys-locked': {
    status: 500,
    title: 'The keys cannot be unlocked',
    remedy:
      'Give the passphrase or the key file at the place that the configuration names, the one they were made with.',
  },
  'key-not-rotated': {
    status: 409,
    title: 'The API key is not being rotated',
    remedy: 'Use the key that you have: there is no next one yet.',
  },
  'key-rotation-refused': {
    status: 409,
    title: 'The key cannot be rotated now',
    remedy: '`detail` says why, and what to do instead.',
  },
  'storage-failed': {
    status: 503,
    title: 'The storage does not take writes',
    remedy: 'Free space, or make the data directory writable, and start again.',
  },
  'already-exists': {
    status: 409,
    title: 'It exists already',
    remedy: 'Use another name. What exists may be removed first, but for a client: its id is never free again.',
  },
  'confirmation-needed': {
    status: 400,
    title: 'What is asked cannot be undone',
    remedy: 'Repeat the command with `--yes` if that is what you want.',
  },
  'node-not-running': {
    status: 503,
    title: 'The node does not answer on its admin address',
    remedy: 'Start it with `comity start`.',
  },
  unauthorized: {
    status: 401,
    title: 'The credential is missing or wrong',
    remedy: 'Use the admin token that `comity init` wrote.',
  },

  // Sealing
  'sealing-required': {
    status: 403,
    title: 'The holder takes or gives this only sealed',
    remedy:
      "Seal the body to a key of the holder's document with one of `accepted`, and name in `Comity-Accept-Sealing` what you can open.",
  },
  'sealing-unavailable': {
    status: 406,
    title: 'What was to be sealed cannot be',
    remedy: 'Ask the other side for an algorithm that both have, or do not demand sealing of it.',
  },
  'unseal-failed': {
    status: 400,
    title: 'The sealed content cannot be opened',
    remedy: "Seal it for exactly this request, to a key that stands in the holder's document now.",
  },
  'answer-unsealed': {
    status: 502,
    title: 'The answer is not sealed as it must be',
    remedy: 'Ask the holder to seal the answers of this product, or do not demand it of this partner.',
  },
} as const satisfies Record<string, ProblemKind>

/** Stable name of one kind of problem; what callers switch on. */
export type ProblemCode = keyof typeof kinds

/** The whole table, for the reference page and for tests. */
export const problemKinds: Readonly<Record<ProblemCode, ProblemKind>> = kinds

/** Members of a problem document beside the standard ones (RFC 9457 §3.2): JSON values only. */
export type ProblemMembers = Readonly<Record<string, unknown>>

/** The one error class. `message` is the detail: lower case, no final period, user input in backticks, no secrets. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly members: ProblemMembers

  constructor(code: ProblemCode, detail: string, options: { cause?: unknown; members?: ProblemMembers } = {}) {
    super(detail, options.cause === undefined ? {} : { cause: options.cause })
    this.name = 'Problem'
    this.code = code
    this.members = options.members ?? {}
  }

  get status(): number {
    return problemKinds[this.code].status
  }
}

const kindOf = (code: ProblemCode): ProblemKind => kinds[code]

/** RFC 9457 problem type URI of a code. Several codes may share one of somebody else's. */
export function problemType(code: ProblemCode): string {
  return kindOf(code).type ?? `urn:comity:problem:${code}`
}

/** The code of a problem document that a node wrote, which may know more codes than this one: of its type, or of `code`
 *  where the type is somebody else's. Undefined for other documents. */
export function codeOfDocument({
  type,
  code,
}: {
  readonly type?: unknown
  readonly code?: unknown
}): string | undefined {
  if (typeof type !== 'string') return undefined
  const isShared = typeof code === 'string' && Object.hasOwn(kinds, code) && kindOf(code as ProblemCode).type === type
  return isShared ? code : /^urn:comity:problem:([a-z-]{1,64})$/.exec(type)?.[1]
}

/** A problem document (RFC 9457) as it goes into a body of `application/problem+json`. */
export interface ProblemDocument {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly remedy: string
  readonly [member: string]: unknown
}

/** The document that a client reads. Carries the code, the detail and the remedy, never the cause or a stack. */
export function problemDocument(problem: Problem): ProblemDocument {
  const kind = problemKinds[problem.code]
  return {
    ...problem.members,
    type: problemType(problem.code),
    title: kind.title,
    status: kind.status,
    code: problem.code,
    detail: problem.message,
    remedy: kind.remedy,
  }
}
