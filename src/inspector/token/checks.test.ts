import { describe, expect, it } from 'vitest'
import { refusalReasons } from '../../verify/refusal.ts'
import { type CheckLine, jwtCheckLines, keyCheckLines } from './checks.ts'

const none: ReadonlySet<never> = new Set()
const outcomes = (lines: readonly CheckLine[]) => lines.map(({ check, outcome }) => `${check} ${outcome}`)

describe('the checks of a server', () => {
  it('are all passed when it accepts, but for those it does not ask', () => {
    const lines = jwtCheckLines({ verdict: 'accepted', notAsked: new Set(['rules', 'audience']) })
    expect(new Set(lines.map(({ outcome }) => outcome))).toEqual(new Set(['passed', 'not_asked']))
    expect(lines.find(({ check }) => check === 'audience')).toMatchObject({ outcome: 'not_asked' })
  })

  it('end with the one that refuses', () => {
    const lines = jwtCheckLines({ verdict: 'refused', reason: 'expired', notAsked: new Set(['issuer']) })
    expect(outcomes(lines)).toEqual([
      'form passed',
      'algorithm passed',
      'header passed',
      'issuer not_asked',
      'key passed',
      'signature passed',
      'time refused',
      'audience not_reached',
      'kind not_reached',
      'identity not_reached',
      'rules not_reached',
      'scopes not_reached',
    ])
  })

  it('one that refuses was asked, whatever the configuration leaves out', () => {
    const lines = jwtCheckLines({
      verdict: 'refused',
      reason: 'wrong_issuer',
      notAsked: new Set(['issuer']),
    })
    expect(lines.find(({ check }) => check === 'issuer')).toMatchObject({ outcome: 'refused' })
  })

  it('an outage decides nothing: neither that check nor those behind it are passed', () => {
    expect(outcomes(keyCheckLines({ verdict: 'unavailable', notAsked: none })).slice(0, 4)).toEqual([
      'form passed',
      'checksum passed',
      'found unknown',
      'secret not_reached',
    ])
  })

  it('nothing is said to be passed when the reason is one of another verifier', () => {
    for (const lines of [
      jwtCheckLines({ verdict: 'refused', reason: 'unknown_token', notAsked: none }),
      keyCheckLines({ verdict: 'refused', reason: 'bad_signature', notAsked: none }),
    ]) {
      expect(new Set(lines.map(({ outcome }) => outcome))).toEqual(new Set(['not_reached']))
    }
  })

  it('each reason of a refusal ends at one check, or says nothing', () => {
    for (const reason of refusalReasons) {
      for (const lines of [
        jwtCheckLines({ verdict: 'refused', reason, notAsked: none }),
        keyCheckLines({ verdict: 'refused', reason, notAsked: none }),
      ]) {
        const refused = lines.findIndex(({ outcome }) => outcome === 'refused')
        const passed = lines.filter(({ outcome }) => outcome === 'passed')
        expect(passed).toHaveLength(Math.max(refused, 0))
      }
    }
  })
})
