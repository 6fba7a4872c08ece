// BullMQ: plain, delayed, prioritised, repeated, failing and rate-limited jobs; flows; events.
import { FlowProducer, Queue, QueueEvents, Worker } from "bullmq";
import { Redis } from "ioredis";
import { report } from "./report.mjs";

const connection = new Redis({ path: process.argv[2], maxRetriesPerRequest: null });
const found = {};
const queue = new Queue("jobs", { connection });
const events = new QueueEvents("jobs", { connection: connection.duplicate() });
await events.waitUntilReady();

const order = [];
const attempts = {};
const worker = new Worker(
  "jobs",
  async (job) => {
    order.push(job.name);
    attempts[job.name] = (attempts[job.name] ?? 0) + 1;
    if (job.name === "flaky" && attempts.flaky < 3) throw new Error("not yet");
    if (job.name === "hopeless") throw new Error("never");
    await job.updateProgress(50);
    if (job.name === "parent") return Object.values(await job.getChildrenValues()).sort();
    return (job.data.number ?? 0) * 2;
  },
  { connection: connection.duplicate(), autorun: false },
);

await queue.pause();
const plain = await queue.addBulk([1, 2, 3].map((number) => ({ name: `plain${number}`, data: { number } })));
const urgent = await queue.add("urgent", {}, { priority: 1 });
const lazy = await queue.add("lazy", {}, { priority: 9 });
const delayed = await queue.add("delayed", { number: 4 }, { delay: 200 });
const flaky = await queue.add("flaky", {}, { attempts: 5, backoff: { type: "fixed", delay: 10 } });
const hopeless = await queue.add("hopeless", {}, { attempts: 2 });
await queue.add("twice", {}, { jobId: "same" });
await queue.add("twice", {}, { jobId: "same" });
found.counts = await queue.getJobCounts();
await queue.resume();
const running = worker.run();

const results = [];
for (const job of [...plain, urgent, lazy, delayed, flaky]) results.push(await job.waitUntilFinished(events, 30000));
found.results = results;
found.hopeless = await hopeless.waitUntilFinished(events, 30000).catch((error) => error.message);
found.attempts = attempts;
found.priorities = order.indexOf("urgent") < order.indexOf("lazy");

const flow = new FlowProducer({ connection: connection.duplicate() });
const tree = await flow.add({
  name: "parent",
  queueName: "jobs",
  children: [5, 6].map((number) => ({ name: "child", queueName: "jobs", data: { number } })),
});
found.flow = await tree.job.waitUntilFinished(events, 30000);

await queue.upsertJobScheduler("ticker", { every: 100, limit: 3 }, { name: "tick" });
await new Promise((resolve) => worker.on("completed", () => attempts.tick >= 2 && resolve()));
found.scheduler = [await queue.removeJobScheduler("ticker"), (await queue.getJobSchedulers()).length];
found.state = [await plain[0].getState(), await hopeless.getState()];

await worker.close();
await running;
await queue.setGlobalConcurrency(1);
await queue.obliterate({ force: true });
found.left = (await connection.keys("bull:jobs:*")).length;
await Promise.all([flow.close(), events.close(), queue.close()]);
report(found);
