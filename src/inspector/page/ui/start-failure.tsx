import type { JSX } from 'preact'

/** What is shown when the page cannot start. */
export function StartFailure({ isShutOut }: { readonly isShutOut: boolean }): JSX.Element {
  return (
    <main class="start-failure">
      <h1>This page cannot start</h1>
      <p role="alert">
        {isShutOut
          ? 'It was opened without its key, or the key was used already. Open the address that the program printed; press Enter there for a new one.'
          : 'What it has to know of the server cannot be read. Is the server still running?'}
      </p>
    </main>
  )
}
