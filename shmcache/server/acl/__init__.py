"""Access control at the socket door: users, what they may do, and who was refused.

* ``users``: a user, his selectors, and all users of a front-end;
* ``rules``: ACL SETUSER's rules, applied and told again;
* ``check``: whether a user may run a command line;
* ``log``: what ACL LOG shows;
* ``files``: users written down, in configuration files, ACL files and messages;
* ``access``: the front-end's doorkeeper, which holds all of it together.

The rules are Redis 7.2's, see https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/.
In-process access knows nothing of them: there the file modes of the segments decide.
"""
