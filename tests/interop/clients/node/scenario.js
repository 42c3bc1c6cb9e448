// What an application does with kafkajs. Arguments: BOOTSTRAP PREFIX
const { Kafka, CompressionTypes, logLevel } = require('kafkajs')

const [bootstrap, prefix] = process.argv.slice(2)
const topic = `${prefix}-topic`
const groupId = `${prefix}-group`
const PARTITIONS = 3
const EACH = 200
const kafka = new Kafka({ clientId: 'interop', brokers: [bootstrap], logLevel: logLevel.NOTHING, retry: { initialRetryTime: 50, retries: 8 } })
let failures = 0

function check(step, good, seen) {
  if (good) console.log(`ok ${step}`)
  else { failures++; console.log(`failed ${step.replace(': ', ', ')}: ${JSON.stringify(seen)}`) }
}

async function within(seconds, condition) {
  const end = Date.now() + seconds * 1000
  for (;;) {
    const value = await condition()
    if (value || Date.now() > end) return value
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
}

const key = (i) => (i % 7 === 0 ? null : Buffer.from(`key-${i}`))
function value(round, i) {
  if (i % 50 === 49) return null
  const tail = Buffer.alloc((i * 37) % 700)
  for (let b = 0; b < tail.length; b++) tail[b] = (Math.floor(b / 3) * 31 + i) % 256
  return Buffer.concat([Buffer.from(`${round} ${i} 한국어 `), tail])
}
const same = (a, b) => (a === null || b === null ? a === b : Buffer.compare(a, b) === 0)

const sent = new Map()
async function produce(round) {
  for (const compression of [CompressionTypes.None, CompressionTypes.GZIP]) {
    const producer = kafka.producer({ idempotent: compression === CompressionTypes.GZIP, allowAutoTopicCreation: false })
    await producer.connect()
    for (let p = 0; p < PARTITIONS; p++) {
      const numbers = [...Array(EACH).keys()].filter((i) => i % PARTITIONS === p)
      const messages = numbers.map((i) => ({ key: key(i), value: value(round, i), partition: p, headers: { round, empty: '' } }))
      const [answer] = await producer.send({ topic, compression, acks: -1, messages })
      numbers.forEach((i, n) => sent.set(`${p}@${Number(answer.baseOffset) + n}`, { round, i }))
    }
    await producer.disconnect()
  }
}

async function member(got, twice) {
  const consumer = kafka.consumer({ groupId, heartbeatInterval: 200, sessionTimeout: 10000, rebalanceTimeout: 10000, maxWaitTimeInMs: 300, retry: { initialRetryTime: 50 } })
  const m = { consumer, assigned: [], crash: null }
  consumer.on(consumer.events.GROUP_JOIN, (e) => { m.assigned = e.payload.memberAssignment[topic] || [] })
  consumer.on(consumer.events.REBALANCING, () => { m.assigned = [] })
  consumer.on(consumer.events.CRASH, (e) => { m.crash = String(e.payload.error) })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch, resolveOffset, commitOffsetsIfNecessary, uncommittedOffsets, isStale }) => {
      if (isStale()) return
      for (const message of batch.messages) {
        const place = `${batch.partition}@${message.offset}`
        if (got.has(place)) twice.push(place)
        got.set(place, message)
        resolveOffset(message.offset)
      }
      await commitOffsetsIfNecessary(uncommittedOffsets())
    },
  })
  return m
}

async function main() {
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: PARTITIONS, replicationFactor: 1, configEntries: [{ name: 'segment.ms', value: '7200000' }] }] })
  check('create a topic', await within(20, async () => (await admin.listTopics()).includes(topic)))
  const configs = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: 2, name: topic, configNames: ['segment.ms'] }] })
  check('describeConfigs shows what was set', configs.resources[0].configEntries[0].configValue === '7200000', configs)
  await produce('first')
  check('produce', sent.size === 2 * EACH, sent.size)

  const got = new Map()
  const twice = []
  const one = await member(got, twice)
  check('one member is given all partitions', await within(30, () => one.assigned.length === PARTITIONS), one.assigned)
  check('and reads all that is there', await within(30, () => got.size === sent.size), got.size)
  const two = await member(got, twice)
  check('a second member makes a rebalance: both have partitions', await within(40, () =>
    one.assigned.length > 0 && two.assigned.length > 0 && one.assigned.length + two.assigned.length === PARTITIONS), [one.assigned, two.assigned])
  await produce('second')
  check('both read all of a second round', await within(30, () => got.size === sent.size && sent.size === 4 * EACH), [got.size, sent.size])
  const described = await admin.describeGroups([groupId])
  check('the group is described with two members', described.groups[0].members.length === 2 && described.groups[0].state === 'Stable', described.groups[0].state)
  await two.consumer.disconnect()
  check('a member that leaves gives its partitions back', await within(40, () => one.assigned.length === PARTITIONS), one.assigned)
  const committed = await within(20, async () => {
    const rows = (await admin.fetchOffsets({ groupId, topics: [topic] }))[0].partitions
    return rows.reduce((sum, p) => sum + Number(p.offset), 0) === sent.size
  })
  check('the committed offsets are the end', committed, await admin.fetchOffsets({ groupId, topics: [topic] }))
  await one.consumer.disconnect()
  check('no member failed', !one.crash && !two.crash, [one.crash, two.crash])
  const bad = [...got].filter(([place, m]) => {
    const s = sent.get(place)
    return !s || !same(m.key, key(s.i)) || !same(m.value, value(s.round, s.i)) || String(m.headers.round) !== s.round || String(m.headers.empty) !== ''
  })
  check('every byte read is the byte sent', bad.length === 0, bad.slice(0, 2).map(([place]) => [place, sent.get(place)]))
  check('nothing was read twice', twice.length === 0, twice.slice(0, 5))
  const more = new Map()
  const again = await member(more, [])
  check('a new member goes on from the commit', await within(30, () => again.assigned.length === PARTITIONS), again.assigned)
  await again.consumer.disconnect()
  check('and reads nothing again', more.size === 0 && !again.crash, [more.size, again.crash])
  await admin.createPartitions({ topicPartitions: [{ topic, count: PARTITIONS + 2 }] })
  check('createPartitions', await within(20, async () =>
    (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0].partitions.length === PARTITIONS + 2))
  check('listGroups', (await admin.listGroups()).groups.some((g) => g.groupId === groupId))
  await admin.deleteGroups([groupId])
  check('delete the group', await within(20, async () => !(await admin.listGroups()).groups.some((g) => g.groupId === groupId)))
  await admin.deleteTopics({ topics: [topic] })
  check('delete the topic', await within(20, async () => !(await admin.listTopics()).includes(topic)))
  await admin.disconnect()
}

main().catch((e) => check('the scenario runs to its end', false, String(e.stack || e))).finally(() => process.exit(failures ? 1 : 0))
