import { browsers } from './browsers.ts'
import type { Defect } from './defect.ts'
import { whatItAnswers } from './what-it-answers.ts'
import { whoGetsIn } from './who-gets-in.ts'

/** All servers of known weakness. */
export const defects: readonly Defect[] = [...whoGetsIn, ...whatItAnswers, ...browsers]
