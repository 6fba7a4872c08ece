"""What ``shmcache-cli --help`` says."""

from __future__ import annotations

__all__ = ["USAGE"]

USAGE = """\
usage: shmcache-cli [OPTIONS] [COMMAND [ARGUMENT ...]]
       shmcache-cli [--name NAME] arena [--validate] [--dump] [--largest N] [--keys N]
       shmcache-cli check FILE
       shmcache-cli [--name NAME] load FILE [--replace]

Sends a command to a cache's daemon and shows the reply as redis-cli does. Without
a command: asks for commands, or reads them from standard input, one a line.

which server
  --name NAME          the cache's name (default: default); its daemon's Unix socket
  -s SOCKET            this Unix socket
  -h HOST, -p PORT     TCP instead (127.0.0.1, 6379)
  -u URI               redis://[[USER:]PASSWORD@]HOST[:PORT][/DB] or unix://SOCKET;
                       rediss:// for TLS
  --tls                speak TLS, by TCP; the server's certificate is checked with
    --cacert FILE      these authorities, or
    --cacertdir DIR    these, else with the system's, or
    --insecure         not at all
    --cert FILE        the client's own certificate, and
    --key FILE         its key
    --sni NAME         the name to ask the server for
    --tls-ciphers LIST the ciphers to choose from, up to TLS 1.2
  -n DB                number of the logical database
  -a PASSWORD          log in; better: the environment variable REDISCLI_AUTH
  --user USER          log in as this user, with -a; --pass is another name for -a
  --askpass            ask for the password
  --no-auth-warning    do not warn of a password on the command line
  -2, -3               speak RESP2 or RESP3

the command
  -r N                 run it N times (-1: for ever)
  -i SECONDS           pause between the times, and between looks of --scan --stat
  -x                   standard input is the last argument
  -X TAG               standard input replaces the argument TAG
  --quoted-input       arguments in quotes are unquoted: '"a\\x00b"'
  -e                   exit with status 1 when the command fails
  --eval FILE K , A    run a Lua script with these keys and, after a comma, arguments

the output
  --raw                text as it is (default unless standard output is a terminal)
  --no-raw             quoted and indented (default on a terminal)
  --csv                comma-separated values
  --json               JSON, over RESP3 unless -2 is given
  --quoted-json        the same with all but ASCII escaped
  -d TEXT              raw: between the parts of a reply (default: newline)
  -D TEXT              raw: after a reply (default: newline)
  --show-pushes yes|no whether to show RESP3's push messages (default: on a terminal)

modes
  --scan               the names of all keys
  --bigkeys            the largest keys of each type, by elements
  --memkeys            the same by memory; --memkeys-samples N: elements looked at
  --hotkeys            the keys read most (needs an LFU policy)
    --pattern GLOB     which keys (for --scan and the three above)
    --quoted-pattern   the same, quoted
    --count N          how many keys the server looks at in one step
  --stat               figures of the server, a line a second
  --latency            how long a PING takes; one line when not on a terminal
  --latency-history    the same, a new line every 15 seconds (-i)
  --pipe               send RESP from standard input, count the replies
    --pipe-timeout N   give up after N seconds without a reply (30; 0: never)

arena: looks into the shared memory itself, also while no daemon answers
  --validate           check every structure; status 1 if something is damaged
  --dump               the arena's own account of itself: stripes, pages, logs
  --largest N          how many of the largest keys to show (10)
  --keys N             look at so many keys at most (1000000; 0: all)

check: reads an RDB file, an append-only file, or a manifest and its files, as Redis
       writes them; status 1 and the offset if something is damaged
load:  puts the keys of an RDB file into a cache, without its daemon
  --replace            also those that are there already

  --help, --version

examples
  shmcache-cli set greeting hello
  shmcache-cli --json hgetall user:1
  shmcache-cli --scan --pattern 'session:*' | wc -l
  shmcache-cli -x set page < page.html
  shmcache-cli --name sessions arena --validate
  shmcache-cli load /var/lib/redis/dump.rdb
"""
