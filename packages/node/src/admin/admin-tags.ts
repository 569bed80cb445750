/** The chapters of the admin API's reference, in its order. */
export const adminTags = {
  node: 'What the node is.',
  partners: 'Whom this node deals with.',
  products: 'What this node offers.',
  keys: 'The participant’s own keys.',
  clients: 'Who holds API keys, and how keys are changed.',
  evidence: 'What happened, and what proves it.',
  agreements: 'What is agreed with partners.',
  consents: 'The consents that this node keeps as the holder.',
  people: 'What is done for one person.',
  'held-consents': 'The consents that this node asks for, was given and passes on.',
  templates: 'What this node asks for, signed and ready.',
  duties: 'What partners owe this node about people’s data, and what it owes them.',
  rights: 'What people ask about their data.',
  policies: 'The holder’s own rules, and what they decided.',
  relationships: 'Who is in which group, and what somebody is to a person.',
  replicas: 'What this node keeps of what it received.',
  quotas: 'Higher quotas: asked, decided, told.',
  usage: 'How much is called, by whom and of whom.',
  webhooks: 'What the operator’s own systems are told.',
} as const

export type AdminTag = keyof typeof adminTags
