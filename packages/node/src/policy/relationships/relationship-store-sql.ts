/** Relationships in the database. */
import type { Database, Row, SqlValue } from '../../storage/database.ts'
import type {
  Party,
  Relationship,
  RelationshipFilter,
  RelationshipObject,
  RelationshipStore,
  StoredRelationship,
} from './relationship-store.ts'

interface RelationshipRow extends Row {
  readonly id: string
  readonly object_type: string
  readonly object_id: string
  readonly relation: string
  readonly subject_type: string
  readonly subject_id: string
  readonly added_ms: number
}

const insertSql = `INSERT INTO relationships
  (id, object_type, object_id, relation, subject_type, subject_id, added_ms) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO NOTHING`
const deleteSql = `DELETE FROM relationships
  WHERE object_type = ? AND object_id = ? AND relation = ? AND subject_type = ? AND subject_id = ?`

/** A store on the tables of `policies-schema.ts`. */
export function createRelationshipStore(database: Database): RelationshipStore {
  return {
    async list(filter) {
      const { conditions, params } = conditionsOf(filter)
      const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`
      const sql = `SELECT * FROM relationships${where} ORDER BY id LIMIT ?`
      return (await database.all<RelationshipRow>(sql, [...params, filter.limit])).map(relationshipOf)
    },
    async memberships() {
      const sql = `SELECT * FROM relationships WHERE object_type = 'Group' AND relation = 'member' ORDER BY id`
      const rows = await database.all<RelationshipRow>(sql)
      return rows.map((row) => ({ group: row.object_id, member: subjectOf(row) }))
    },
    async ofPerson(handle) {
      const sql = `SELECT * FROM relationships WHERE object_type = 'person' AND object_id = ?`
      const rows = await database.all<RelationshipRow>(sql, [handle])
      return rows.map((row) => ({ relation: row.relation, subject: subjectOf(row) }))
    },
    async hasPeople() {
      return (await database.get(`SELECT 1 FROM relationships WHERE object_type = 'person' LIMIT 1`)) !== undefined
    },
    insert: ({ id, addedMs, ...relationship }) => ({
      sql: insertSql,
      params: [id, ...keyOf(relationship), addedMs],
    }),
    delete: (relationship) => ({ sql: deleteSql, params: keyOf(relationship) }),
    deletePerson: (handle) => ({
      sql: `DELETE FROM relationships WHERE object_type = 'person' AND object_id = ?`,
      params: [handle],
    }),
  }
}

const objectId = (object: RelationshipObject): string => (object.type === 'person' ? object.handle : object.id)

function keyOf({ object, relation, subject }: Relationship): string[] {
  return [object.type, objectId(object), relation, subject.type, subject.id]
}

function conditionsOf({ object, relation, subject, after }: RelationshipFilter) {
  const conditions: string[] = []
  const params: SqlValue[] = []
  const add = (condition: string, ...values: readonly string[]): void => {
    conditions.push(condition)
    params.push(...values)
  }
  if (object !== undefined) add('object_type = ? AND object_id = ?', object.type, objectId(object))
  if (relation !== undefined) add('relation = ?', relation)
  if (subject !== undefined) add('subject_type = ? AND subject_id = ?', subject.type, subject.id)
  if (after !== undefined) add('id > ?', after)
  return { conditions, params }
}

const subjectOf = ({ subject_type: type, subject_id: id }: RelationshipRow): Party => ({
  type: type as Party['type'],
  id,
})

function relationshipOf(row: RelationshipRow): StoredRelationship {
  const { id, object_type: type, object_id: object, relation, added_ms: addedMs } = row
  return {
    id,
    object: type === 'person' ? { type, handle: object } : { type: 'Group', id: object },
    relation,
    subject: subjectOf(row),
    addedMs,
  }
}
