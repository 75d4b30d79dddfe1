// Writes src/api/schema.ts, the types of the REST interface, from its description in
// api/openapi-3.0.json. With --check it writes nothing and fails where the file is old.
// What it does not know in the description it refuses, so that nothing is lost unseen.
import { readFileSync, writeFileSync } from 'node:fs'

const source = new URL('../../api/openapi-3.0.json', import.meta.url)
const target = new URL('../src/api/schema.ts', import.meta.url)

// Headers that a request may have, as the members of a call: what the browser sends by
// itself is none.
const headers = {
  'Idempotency-Key': { name: 'idempotency', type: 'string' },
  'If-Match': { name: 'ifMatch', type: 'number' },
  'User-Agent': undefined,
  'Last-Event-ID': undefined,
}

const understood = new Set([
  '$ref', 'type', 'nullable', 'enum', 'items', 'properties', 'required', 'additionalProperties', 'allOf', 'description',
  // They bound values, not types.
  'format', 'default', 'minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'uniqueItems', 'pattern',
])

const plain = { string: 'string', integer: 'number', number: 'number', boolean: 'boolean' }

function typeOf(schema, indent) {
  const type = bareType(schema, indent)
  return schema.nullable ? `${type} | null` : type
}

function bareType(schema, indent) {
  for (const word of Object.keys(schema)) if (!understood.has(word)) throw new Error(`not understood in a schema: ${word}`)
  if (schema.$ref) return `Schemas.${schema.$ref.replace('#/components/schemas/', '')}`
  if (schema.allOf?.length === 1) return typeOf(schema.allOf[0], indent)
  if (schema.enum) return schema.enum.map((value) => (typeof value === 'string' ? `'${value}'` : String(value))).join(' | ')
  if (schema.type === 'array') {
    const item = typeOf(schema.items, indent)
    return item.includes(' | ') ? `(${item})[]` : `${item}[]`
  }
  if (schema.type === 'object') {
    const members = Object.entries(schema.properties ?? {}).map(([name, member]) => ({
      name, type: typeOf(member, `${indent}  `), required: schema.required?.includes(name), about: member.description,
    }))
    return object(members, indent, schema.additionalProperties === true)
  }
  if (plain[schema.type]) return plain[schema.type]
  throw new Error(`not understood: ${JSON.stringify(schema)}`)
}

function object(members, indent, open = false) {
  const lines = members.flatMap(({ name, type, required, about }) => [
    ...(about ? [`${indent}  /** ${about.replaceAll('*/', '* /')} */`] : []),
    `${indent}  ${/^\w+$/.test(name) ? name : `'${name}'`}${required ? '' : '?'}: ${type}`,
  ])
  if (open) lines.push(`${indent}  [member: string]: unknown`)
  return lines.length ? `{\n${lines.join('\n')}\n${indent}}` : 'object'
}

/** What a call must and may say. */
function askOf(operation) {
  const members = []
  const query = []
  for (const { in: where, name, schema, required } of operation.parameters ?? []) {
    if (where === 'path') members.push({ name, type: typeOf(schema, '      '), required: true })
    else if (where === 'query') query.push({ name, type: typeOf(schema, '        '), required, about: schema.description })
    else if (where === 'header' && name in headers) members.push(...(headers[name] ? [headers[name]] : []))
    else throw new Error(`not understood: ${name} in ${where}`)
  }
  if (query.length) members.push({ name: 'query', type: object(query, '      '), required: query.some((one) => one.required) })
  const body = operation.requestBody
  if (body) members.push({ name: 'body', type: typeOf(body.content['application/json'].schema, '      '), required: body.required })
  return object(members, '    ')
}

function answerOf(operation) {
  const [[, success]] = Object.entries(operation.responses).filter(([status]) => status.startsWith('2'))
  if (!success.content) return 'undefined'
  const json = success.content['application/json']
  return json && typeOf(json.schema, '    ')
}

function render({ components, paths }) {
  const schemas = Object.entries(components.schemas).map(([name, schema]) => `  export interface ${name} ${typeOf(schema, '  ')}`)
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      const answer = answerOf(operation)
      if (!answer) return [] // a stream is not asked by a call
      const members = [{ name: 'ask', type: askOf(operation), required: true }, { name: 'answer', type: answer, required: true }]
      return [{ name: `${method.toUpperCase()} ${path}`, type: object(members, '  '), required: true, about: operation.summary }]
    }))
  return [
    '// What the REST interface takes and gives, written by scripts/schema.mjs: make openapi.',
    `export declare namespace Schemas {\n${schemas.join('\n\n')}\n}`,
    `export interface Operations ${object(operations, '')}`,
    '',
  ].join('\n\n').replace(/\n\n$/, '\n')
}

const rendered = render(JSON.parse(readFileSync(source, 'utf8')))
if (!process.argv.includes('--check')) writeFileSync(target, rendered)
else if (readFileSync(target, 'utf8') !== rendered) {
  console.error('web/src/api/schema.ts is old: make openapi')
  process.exit(1)
}
