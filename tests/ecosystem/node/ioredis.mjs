// What ioredis does for its users: pipelines, transactions, scripts, pub/sub, blocking, scans.
import { Redis } from "ioredis";
import { report } from "./report.mjs";

const path = process.argv[2];
const redis = new Redis({ path, maxRetriesPerRequest: 1 });
const found = {};

await redis.mset("a", 1, "b", "two");
found.values = await redis.mget("a", "b", "nothing");
found.pipeline = await redis.pipeline().incr("a").hset("h", { x: 1, y: "z" }).hgetall("h").lpop("b").exec()
  .then((results) => results.map(([error, value]) => error?.message ?? value));
found.transaction = await redis.multi().rpush("list", "x", "y").lrange("list", 0, -1).exec();

redis.defineCommand("takeIfMore", {
  numberOfKeys: 1,
  lua: `local have = tonumber(redis.call('GET', KEYS[1]) or '0')
        if have < tonumber(ARGV[1]) then return redis.error_reply('NOTENOUGH only ' .. have) end
        return {redis.call('DECRBY', KEYS[1], ARGV[1]), have, ARGV[1], false}`,
});
await redis.set("stock", 10);
found.script = [await redis.takeIfMore("stock", 3), await redis.takeIfMore("stock", 4)];
found.scriptError = await redis.takeIfMore("stock", 50).catch((error) => error.message.split(" script")[0]);

const subscriber = redis.duplicate();
const heard = [];
const complete = new Promise((resolve) => {
  subscriber.on("message", (channel, text) => heard.push([channel, text]));
  subscriber.on("pmessage", (pattern, channel, text) => {
    heard.push([pattern, channel, text]);
    if (text === "last") resolve();
  });
});
await subscriber.subscribe("news");
await subscriber.psubscribe("n*");
found.receivers = [await redis.publish("news", "first"), await redis.publish("nobody", "last")];
await complete;
found.heard = heard;

const blocking = redis.duplicate();
const waiting = blocking.blpop("queue", 20);
await redis.rpush("queue", "job");
found.blocking = await waiting;

await redis.xgroup("CREATE", "stream", "group", "$", "MKSTREAM");
const reading = blocking.xreadgroup("GROUP", "group", "me", "BLOCK", 20000, "STREAMS", "stream", ">");
await redis.xadd("stream", "1-1", "field", "value");
found.stream = await reading;

await redis.sadd("set", ...Array.from({ length: 500 }, (_, i) => `member:${i}`));
let members = 0;
for await (const keys of redis.sscanStream("set", { count: 50, match: "member:*" })) members += keys.length;
found.scanned = members;
found.binary = (await redis.set("bin", Buffer.from([0, 255, 13, 10])), [...(await redis.getBuffer("bin"))]);

for (const client of [blocking, subscriber, redis]) client.disconnect();
report(found);
