/** Finds code that helps itself to time, randomness, the network or the environment instead of being given them. */
import ts from 'typescript'
import { nodesOf, placeOf, type Source } from './source.ts'

/** `object.property` -> what to take instead. */
const members: Readonly<Record<string, string>> = {
  'Date.now': 'take a `Clock`',
  'Math.random': 'take `RandomBytes`',
  'crypto.getRandomValues': 'take `RandomBytes`',
  'crypto.randomUUID': 'take `newId`, which the world has',
  'process.env': 'only config/environment.ts reads the environment',
}
const globals: Readonly<Record<string, string>> = {
  fetch: 'take a `Fetch` or a dispatcher',
  WebSocket: 'the network is an argument',
  XMLHttpRequest: 'the network is an argument',
}
/** Functions of modules that draw on the machine's randomness. */
const randomImports: Readonly<Record<string, readonly string[]>> = {
  'node:crypto': ['randomBytes', 'randomUUID', 'randomInt', 'randomFillSync', 'randomFill', 'getRandomValues'],
}

/** One line for each forbidden read. */
export function ambientReads(source: Source): string[] {
  return [...nodesOf(source)].flatMap((node) => {
    const reason = reasonOf(node)
    return reason === undefined ? [] : [`${placeOf(source, node)} ${reason}`]
  })
}

function reasonOf(node: ts.Node): string | undefined {
  if (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) return reasonOfMember(node)
  if (ts.isNewExpression(node)) return reasonOfNew(node)
  if (ts.isCallExpression(node)) return reasonOfCall(node)
  if (ts.isVariableDeclaration(node)) return reasonOfDestructuring(node)
  if (ts.isImportDeclaration(node)) return reasonOfImport(node)
  return undefined
}

function reasonOfMember(node: ts.PropertyAccessExpression | ts.ElementAccessExpression): string | undefined {
  const property = ts.isPropertyAccessExpression(node) ? node.name.text : literal(node.argumentExpression)
  const object = objectName(node.expression)
  const reason = members[`${object}.${property}`]
  if (reason !== undefined) return `reads \`${object}.${property}\`: ${reason}`
  const ofGlobal = object === 'globalThis' && property !== undefined ? globals[property] : undefined
  return ofGlobal === undefined ? undefined : `reads \`globalThis.${property}\`: ${ofGlobal}`
}

/** `Date` of `Date.now` and of `globalThis.Date.now`. */
function objectName(node: ts.Expression): string | undefined {
  if (ts.isIdentifier(node)) return node.text
  if (ts.isPropertyAccessExpression(node) && objectName(node.expression) === 'globalThis') return node.name.text
  return undefined
}

function reasonOfNew(node: ts.NewExpression): string | undefined {
  const name = ts.isIdentifier(node.expression) ? node.expression.text : ''
  if (name === 'Date' && (node.arguments?.length ?? 0) === 0) return 'reads the time with `new Date()`: take a `Clock`'
  const reason = globals[name]
  return reason === undefined ? undefined : `opens a \`${name}\`: ${reason}`
}

function reasonOfCall(node: ts.CallExpression): string | undefined {
  if (!ts.isIdentifier(node.expression)) return undefined
  const name = node.expression.text
  if (name === 'Date') return 'reads the time with `Date()`: take a `Clock`'
  if (name === 'fetch' && !isDeclaredIn(node, name)) return `calls the global \`fetch\`: ${globals['fetch']}`
  return undefined
}

/** True when an enclosing function has a parameter, or the file a binding, of that name. */
function isDeclaredIn(node: ts.Node, name: string): boolean {
  for (let scope: ts.Node | undefined = node.parent; scope !== undefined; scope = scope.parent) {
    if (ts.isFunctionLike(scope) && scope.parameters.some((parameter) => bindsName(parameter.name, name))) return true
    if (ts.isBlock(scope) || ts.isSourceFile(scope)) {
      const declared = scope.statements
        .filter(ts.isVariableStatement)
        .flatMap((s) => [...s.declarationList.declarations])
      if (declared.some((declaration) => bindsName(declaration.name, name))) return true
      if (scope.statements.some((s) => ts.isFunctionDeclaration(s) && s.name?.text === name)) return true
      if (scope.statements.some((s) => ts.isImportDeclaration(s) && importedNames(s).includes(name))) return true
    }
  }
  return false
}

function bindsName(binding: ts.BindingName, name: string): boolean {
  if (ts.isIdentifier(binding)) return binding.text === name
  return binding.elements.some((element) => ts.isBindingElement(element) && bindsName(element.name, name))
}

function reasonOfDestructuring(node: ts.VariableDeclaration): string | undefined {
  if (!ts.isObjectBindingPattern(node.name) || node.initializer === undefined) return undefined
  const object = objectName(node.initializer)
  const names = node.name.elements.map((element) => (element.propertyName ?? element.name).getText())
  const found = names.find((name) => members[`${object}.${name}`] !== undefined)
  return found === undefined ? undefined : `takes \`${found}\` out of \`${object}\`: ${members[`${object}.${found}`]}`
}

function reasonOfImport(node: ts.ImportDeclaration): string | undefined {
  const forbidden = randomImports[literal(node.moduleSpecifier) ?? ''] ?? []
  const found = importedNames(node).find((name) => forbidden.includes(name))
  return found === undefined ? undefined : `imports \`${found}\`: take \`RandomBytes\``
}

function importedNames(node: ts.ImportDeclaration): string[] {
  const bindings = node.importClause?.namedBindings
  if (bindings === undefined || !ts.isNamedImports(bindings)) return []
  return bindings.elements.map((element) => (element.propertyName ?? element.name).text)
}

function literal(node: ts.Node): string | undefined {
  return ts.isStringLiteralLike(node) ? node.text : undefined
}
