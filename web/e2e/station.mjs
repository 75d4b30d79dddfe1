// A whole station under test: the demo in a process of its own, with real PostgreSQL and
// simulated panels over TCP. It can be frozen, killed and started again.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'

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
  #binary
  #arguments
  #process
  #exited
  #log

  /**
   * Starts one: with so many sites, so long until the station complains that nobody can hear (0s: never), and in one
   * process or, full, in several with RabbitMQ, Redis and the control room.
   */
  static async start(binary, results, { sites = 5, deskGrace = '0s', full = false } = {}) {
    const station = new Station()
    station.#binary = binary
    station.data = await mkdtemp(join(tmpdir(), 'dozor-e2e-'))
    await chmod(station.data, 0o755) // the servers run as somebody else when the tests run as root
    station.#log = createWriteStream(join(results, 'dozor.log'), { flags: 'a' })
    station.#arguments = [
      'demo', '--data', station.data, '--quiet-scenario', '--log-level', 'info', '--desk-grace', deskGrace, '--sites', String(sites),
      '--listen', `localhost:${await freePort()}`, '--control', `127.0.0.1:${await freePort()}`,
      ...(full ? ['--full', '--room', 'localhost:0'] : []),
    ]
    await station.run()
    return station
  }

  /** Starts the process and waits until it serves. */
  async run() {
    this.began = Date.now()
    this.#process = spawn(this.#binary, this.#arguments, { stdio: ['ignore', 'pipe', 'pipe'] })
    const { stdout, stderr } = this.#process
    stdout.pipe(this.#log, { end: false })
    stderr.pipe(this.#log, { end: false })
    this.#exited = new Promise((resolve) => this.#process.once('exit', (code, signal) => resolve({ code, signal })))
    let gone
    void this.#exited.then((how) => (gone = how))
    this.facts = await until('the demo serves', async () => {
      if (gone) return gone
      const facts = JSON.parse(await readFile(join(this.data, 'demo.json'), 'utf8'))
      const response = await fetch(`${facts.url}/api/session`)
      return response.status === 401 && facts
    }, 90_000)
    assert.equal(gone, undefined, `dozor demo ended: ${JSON.stringify(gone)}; see dozor.log`)
  }

  get url() {
    return this.facts.url
  }

  user(n) {
    return this.facts.users[n]
  }

  /** What a user may ask of the station, as a program that signs in without a browser. */
  async api(n) {
    const { login, password } = this.user(n)
    const ask = async (method, path, body, headers) => {
      const response = await fetch(this.url + path, {
        method, headers: { ...headers, ...(body && { 'Content-Type': 'application/json' }) }, body: body && JSON.stringify(body),
      })
      const answer = await response.json()
      assert.ok(response.ok, `${method} ${path}: ${response.status} ${JSON.stringify(answer)}`)
      return answer
    }
    const { access_token: token } = await ask('POST', '/api/tokens', { login, password })
    return (method, path, body) => ask(method, path, body, { Authorization: `Bearer ${token}` })
  }

  /** Begins the stream anew, as after a snapshot of the database was put back. */
  async resetStream() {
    await promisify(execFile)(this.#binary, ['stream', 'reset'], { env: { ...process.env, DATABASE_URL: this.facts.database_url } })
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
