// A whole station under test: the demo in a process of its own, with real PostgreSQL and
// simulated panels over TCP. It can be frozen, killed and started again.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** Asks until the answer is true, and fails with what was awaited. */
export async function until(what, ask, limit = 10_000) {
  const end = performance.now() + limit
  let last
  for (;;) {
    try {
      const answer = await ask()
      if (answer) return answer
      last = undefined
    } catch (error) {
      last = error
    }
    if (performance.now() > end) throw new Error(`not within ${limit} ms: ${what}`, { cause: last })
    await pause(40)
  }
}

async function freePort() {
  const server = createServer()
  await new Promise((resolve, reject) => server.listen(0, '127.0.0.1', resolve).on('error', reject))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}

export class Station {
  /** How long nobody may be able to hear before the station says so; 0: it never does. */
  deskGrace = '0'
  #binary
  #arguments
  #process
  #exited
  #log

  static async start(binary, results) {
    const station = new Station()
    station.#binary = binary
    station.data = await mkdtemp(join(tmpdir(), 'dozor-e2e-'))
    station.#log = createWriteStream(join(results, 'dozor.log'))
    station.#arguments = [
      'demo', '--data', station.data, '--quiet-scenario', '--log-level', 'info', '--desk-grace', '0s',
      '--listen', `localhost:${await freePort()}`, '--control', `127.0.0.1:${await freePort()}`,
    ]
    await station.run()
    return station
  }

  /** Starts the process and waits until it serves. */
  async run() {
    const env = { ...process.env, DOZOR_DESK_GRACE: this.deskGrace }
    this.#process = spawn(this.#binary, this.#arguments, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const { stdout, stderr } = this.#process
    stdout.pipe(this.#log, { end: false })
    stderr.pipe(this.#log, { end: false })
    this.#exited = new Promise((resolve) => this.#process.once('exit', (code, signal) => resolve({ code, signal })))
    let gone
    void this.#exited.then((how) => (gone = how))
    this.facts = await until('the demo serves', async () => {
      assert.equal(gone, undefined, `dozor demo ended: ${JSON.stringify(gone)}`)
      const facts = JSON.parse(await readFile(join(this.data, 'demo.json'), 'utf8'))
      const response = await fetch(`${facts.url}/api/session`)
      return response.status === 401 && facts
    }, 90_000)
  }

  get url() {
    return this.facts.url
  }

  user(n) {
    return this.facts.users[n]
  }

  freeze() {
    process.kill(this.#process.pid, 'SIGSTOP')
  }

  thaw() {
    process.kill(this.#process.pid, 'SIGCONT')
  }

  async kill() {
    process.kill(this.#process.pid, 'SIGKILL')
    await this.#exited
  }

  async stop() {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.thaw()
      this.#process.kill('SIGTERM')
      const ended = await Promise.race([this.#exited, pause(20_000, undefined, { ref: false })])
      if (!ended) await this.kill()
    }
    this.#log.end()
    await rm(this.data, { recursive: true, force: true })
  }

  async #control(method, path) {
    const response = await fetch(`${this.facts.sim_control}${path}`, { method })
    const body = await response.json()
    assert.ok(response.ok, `${method} ${path}: ${JSON.stringify(body)}`)
    return body
  }

  panel(n) {
    return this.#control('GET', `/panels/${n}`)
  }

  act(n, path) {
    return this.#control('POST', `/panels/${n}/${path}`)
  }

  /** A zone that alarms at once while its partition is armed. */
  async instantZone(n) {
    const instant = 5
    const zone = (await this.panel(n)).zones.find((found) => found.reaction === instant)
    assert.ok(zone, `panel ${n} has no instant zone`)
    return zone
  }

  async arm(n, partition) {
    const phase = async () => (await this.panel(n)).partitions.find((found) => found.number === partition).phase
    if ((await phase()) !== 'armed') await this.act(n, `partitions/${partition}/arm`)
    await until(`panel ${n} is armed`, async () => (await phase()) === 'armed', 40_000)
  }

  async disarm(n, partition) {
    await this.act(n, `partitions/${partition}/disarm`)
  }

  violate(n, zone) {
    return this.act(n, `zones/${zone}/violate`)
  }

  restore(n, zone) {
    return this.act(n, `zones/${zone}/restore`)
  }
}
