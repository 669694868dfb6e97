/**
 * Writes a file that only its owner can read, wholly or not at all: whoever reads meanwhile sees the old text or the
 * new one, and a crash leaves one of the two.
 * @throws the error of the file system
 */
export async function writePrivateFile(path: string | URL, text: string): Promise<void> {
  const { open, rename, rm } = await import('node:fs/promises')
  const { fileURLToPath } = await import('node:url')
  const target = path instanceof URL ? fileURLToPath(path) : path
  // In the same folder: a file system renames in one step only within itself.
  const temporary = `${target}.${crypto.randomUUID()}.tmp`
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(text)
    // Or a crash of the machine may leave an empty file under the new name.
    await file.sync()
    await file.close()
    await rename(temporary, target)
  } catch (error) {
    await file.close().catch(() => {})
    await rm(temporary, { force: true })
    throw error
  }
}
