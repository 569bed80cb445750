/** What was counted of single keys, and granted to them, before a key knew its line. */

/** Statements of the migration by which that is their line's: counts of a period are added up. To come after
 *  `keyLinesMigrations`. A counter is called like `participant=did:web:lab.example key=c41RtP0z product=readings`. */
export const keyLineCountsMigrations: readonly string[] = [
  'CREATE TABLE lines_of_keys (id TEXT PRIMARY KEY, line TEXT NOT NULL) STRICT',
  'CREATE INDEX api_keys_by_succeeded ON api_keys (succeeds, id)',
  `INSERT INTO lines_of_keys (id, line)
    WITH RECURSIVE lines (id, line) AS (
      SELECT id, id FROM api_keys WHERE succeeds IS NULL
      UNION ALL
      SELECT api_keys.id, lines.line FROM api_keys JOIN lines ON api_keys.succeeds = lines.id
    )
    SELECT id, line FROM lines WHERE id <> line`,
  'DROP INDEX api_keys_by_succeeded',
  'CREATE TABLE line_counters (limit_key TEXT PRIMARY KEY, line_key TEXT NOT NULL) STRICT',
  // Each place of each name is looked at: `LIKE` takes capitals for small letters, and SQL has no other search.
  `INSERT INTO line_counters (limit_key, line_key)
    WITH RECURSIVE places (limit_key, place) AS (
      SELECT limit_key, 1 FROM (
        SELECT limit_key FROM limit_quotas UNION SELECT limit_key FROM quota_notices
      ) AS counters WHERE limit_key LIKE '%key=%'
      UNION ALL
      SELECT limit_key, place + 1 FROM places WHERE place < LENGTH(limit_key)
    )
    SELECT limit_key, SUBSTR(limit_key, 1, place + 3) || line || SUBSTR(limit_key, place + 12)
      FROM places JOIN lines_of_keys ON lines_of_keys.id = SUBSTR(limit_key, place + 4, 8)
      WHERE SUBSTR(' ' || limit_key, place, 5) = ' key=' AND SUBSTR(limit_key || ' ', place + 12, 1) = ' '
    ON CONFLICT (limit_key) DO NOTHING`,
  `INSERT INTO limit_quotas (limit_name, per, limit_key, starts_ms, used)
    SELECT limit_name, per, line_key, starts_ms, SUM(used)
      FROM limit_quotas JOIN line_counters ON line_counters.limit_key = limit_quotas.limit_key
      WHERE used > 0 GROUP BY limit_name, per, line_key, starts_ms
    ON CONFLICT (limit_name, per, limit_key, starts_ms) DO UPDATE SET used = limit_quotas.used + excluded.used`,
  'DELETE FROM limit_quotas WHERE limit_key IN (SELECT limit_key FROM line_counters)',
  `INSERT INTO quota_notices (limit_name, limit_key, starts_ms, units)
    SELECT limit_name, line_key, starts_ms, units
      FROM quota_notices JOIN line_counters ON line_counters.limit_key = quota_notices.limit_key
      WHERE units > 0
    ON CONFLICT (limit_name, limit_key, starts_ms, units) DO NOTHING`,
  'DELETE FROM quota_notices WHERE limit_key IN (SELECT limit_key FROM line_counters)',
  `UPDATE quota_requests
    SET key_id = (SELECT lines_of_keys.line FROM lines_of_keys WHERE lines_of_keys.id = quota_requests.key_id)
    WHERE key_id IN (SELECT lines_of_keys.id FROM lines_of_keys)`,
  'DROP TABLE line_counters',
  'DROP TABLE lines_of_keys',
]
