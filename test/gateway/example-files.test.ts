import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseGatewayFile } from '../../src/gateway/file/gateway-file.ts'
import { gatewayPolicy } from '../../src/gateway/policy/policy-engine.ts'

const example = (name: string) =>
  readFileSync(new URL(`../../examples/gateway/${name}`, import.meta.url), 'utf8')

describe('FL-108 examples/gateway', () => {
  test('has a file that a gateway takes, with its policy', () => {
    const { policy, ...rest } = parseGatewayFile(example('gateway.yaml'), 'gateway.yaml')
    expect(rest).toMatchObject({ listen: '0.0.0.0:8000', auth: { keys: 'keys.db' } })
    expect(() => gatewayPolicy(policy ?? {})).not.toThrow()
    expect(policy?.rules).toHaveLength(3)
  })

  test('has a Dockerfile that installs this version', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    expect(example('Dockerfile')).toContain(`mcp-bearer@${version} `)
  })

  test('starts the same command as a service and in a container', () => {
    const [, service] = /^ExecStart=\/usr\/bin\/env (.*)$/m.exec(example('mcp-gateway.service')) ?? []
    const [, container] = /^CMD (\[.*\])$/m.exec(example('Dockerfile')) ?? []
    expect(service?.split(' ')).toEqual(JSON.parse(container ?? ''))
  })
})
