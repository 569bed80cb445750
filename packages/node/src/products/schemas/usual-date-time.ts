/** Date-times as nearly every API writes them, recognised without an expression and without parts to throw away: an
 *  answer may hold hundreds. */

const daysOfMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** True only for RFC 3339 date-times of the usual form, `2024-05-17T08:30:00Z` with or without a fraction of a second
 *  and an offset as `+02:00`. False says nothing: leap seconds, 29 February, small letters are left to others. */
export function isUsualDateTime(text: string): boolean {
  const { length } = text
  if (length < 20 || !isUsualDate(text) || text.charCodeAt(10) !== 0x54 /* T */ || !isUsualTime(text)) return false
  const zone = endOfFraction(text)
  if (text.charCodeAt(zone) === 0x5a /* Z */) return length === zone + 1
  const sign = text.charCodeAt(zone)
  const isOffset = (sign === 0x2b /* + */ || sign === 0x2d) /* - */ && text.charCodeAt(zone + 3) === 0x3a /* : */
  return isOffset && length === zone + 6 && digits(text, zone + 1) <= 23 && digits(text, zone + 4) <= 59
}

function isUsualDate(text: string): boolean {
  if (text.charCodeAt(4) !== 0x2d || text.charCodeAt(7) !== 0x2d || !(digits(text, 0) + digits(text, 2) >= 0)) {
    return false
  }
  const day = digits(text, 8)
  return day >= 1 && day <= (daysOfMonth[digits(text, 5) - 1] ?? 0)
}

function isUsualTime(text: string): boolean {
  if (text.charCodeAt(13) !== 0x3a || text.charCodeAt(16) !== 0x3a) return false
  return digits(text, 11) <= 23 && digits(text, 14) <= 59 && digits(text, 17) <= 59
}

/** Where the zone begins: after the seconds, or after `.` and at least one digit. */
function endOfFraction(text: string): number {
  if (text.charCodeAt(19) !== 0x2e /* . */ || !isDigit(text.charCodeAt(20))) return 19
  let at = 20
  while (isDigit(text.charCodeAt(at))) at++
  return at
}

/** The number that two digits write, NaN when they are none. */
function digits(text: string, at: number): number {
  const [tens, units] = [text.charCodeAt(at), text.charCodeAt(at + 1)]
  return isDigit(tens) && isDigit(units) ? (tens - 0x30) * 10 + units - 0x30 : NaN
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}
