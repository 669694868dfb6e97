import { type ComponentType, render } from 'preact'
import { loadConfig, NotLetIn } from './config.ts'
import { config } from './state.ts'
import { StartFailure } from './ui/start-failure.tsx'

/** Reads what the page is told of its server, and shows a view of it. */
export async function start(View: ComponentType): Promise<void> {
  const place = document.getElementById('app')
  if (!place) return
  try {
    config.value = await loadConfig()
    render(<View />, place)
  } catch (error) {
    render(<StartFailure isShutOut={error instanceof NotLetIn} />, place)
  }
}
