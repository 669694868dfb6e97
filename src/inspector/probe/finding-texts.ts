import type { FindingText } from './finding.ts'
import { accessTexts } from './texts/access.ts'
import { refusalTexts } from './texts/refusal.ts'
import { surroundingsTexts } from './texts/surroundings.ts'
import { tokenTexts } from './texts/token.ts'

/** The words of every finding. The only place where they are written; the codes never change. */
export const findingTexts = {
  ...accessTexts,
  ...refusalTexts,
  ...tokenTexts,
  ...surroundingsTexts,
} as const satisfies Readonly<Record<string, FindingText>>

/** What a finding is called. */
export type FindingCode = keyof typeof findingTexts
