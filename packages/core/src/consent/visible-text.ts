/** Which characters a text may hold that a person reads before deciding: what is seen must be what is signed. Scripts
 *  that need invisible characters keep them: Persian and the Indic scripts their joiners, Khmer and Thai the space
 *  without width, emoji and Japanese names their variants. */

// Of the code points that are not drawn (Unicode UAX #44, Default_Ignorable_Code_Point) these have a use in prose.
const useful = String.raw`\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202c\u2060\u2066-\u2069\ufe00-\ufe0f\u{e0100}-\u{e01ef}`
const variants = String.raw`\u180b-\u180f\ufe00-\ufe0f\u{e0100}-\u{e01ef}`
// Letters of these scripts stand alike with and without a joiner or a variant behind them.
const plain = String.raw`\p{sc=Latn}\p{sc=Grek}\p{sc=Cyrl}\p{sc=Armn}\p{sc=Geor}\p{sc=Hebr}\p{sc=Hang}\p{sc=Hira}\p{sc=Kana}`
const joined = String.raw`[[\p{L}\p{M}]--[${plain}\p{sc=Hani}\p{sc=Zyyy}\p{sc=Zinh}]]|[\p{scx=Arab}&&\p{M}]`

// Control characters but tab and line ends; what reverses all that follows; tags and fillers; bytes hidden in variants.
const neverShown = new RegExp(
  String.raw`[[\p{Cc}\u202d\u202e\ufff9-\ufffb]--[\t\n\r]]|[\p{Default_Ignorable_Code_Point}--[${useful}\u202d\u202e]]|[${variants}](?=[${variants}])`,
  'v',
)

// In a name these only make two names look alike, or a joiner and a variant where nothing joins or varies.
const unseenInName = new RegExp(
  [
    String.raw`[\u00ad\u034f\u200b\u202a-\u202c\u2060]`,
    String.raw`(?<!${joined}|[\p{Extended_Pictographic}\p{Emoji_Modifier}]|\p{Extended_Pictographic}\ufe0f)[\u200c\u200d]`,
    String.raw`(?<=^|[${plain}\s])[${variants}]`,
  ].join('|'),
  'v',
)

// Marks that arrange text of both directions.
const marks = /[\u061c\u200e\u200f\u2066-\u2069]/u
const rightToLeft = /[\p{sc=Arab}\p{sc=Hebr}\p{sc=Syrc}\p{sc=Thaa}\p{sc=Nkoo}\p{sc=Adlm}\p{sc=Rohg}\p{sc=Mand}]/u

/** The first character of a text that no text may hold, as `U+202E`; undefined when there is none. */
export function hiddenInText(text: string): string | undefined {
  return firstMatch(text, neverShown)
}

/** Likewise of a name or a title, where two that look alike must be alike. */
export function hiddenInName(name: string): string | undefined {
  return firstMatch(name, unseenInName) ?? (rightToLeft.test(name) ? undefined : firstMatch(name, marks))
}

/** Likewise of an identifier, which nobody arranges. */
export function hiddenInId(id: string): string | undefined {
  return firstMatch(id, unseenInName) ?? firstMatch(id, marks)
}

function firstMatch(text: string, pattern: RegExp): string | undefined {
  const code = pattern.exec(text)?.[0].codePointAt(0)
  return code === undefined ? undefined : `U+${code.toString(16).toUpperCase().padStart(4, '0')}`
}
