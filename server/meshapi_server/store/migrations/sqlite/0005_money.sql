-- What tasks cost. All amounts are nano-dollars; a day counts from 1970-01-01, UTC.

-- Double entry: each line takes an amount from one account of a key and adds it to another. It outlives the task.
create table ledger (
  id           text not null primary key,
  at           integer not null,
  owner        text not null,
  day          integer not null, -- on which the task was asked for
  key_id       text not null,
  model        text not null,
  task_id      text not null,
  upstream     text not null,
  upstream_ref text,
  kind         text not null check (kind in ('hold', 'release', 'settle', 'doubt', 'book')),
  source       text not null check (source in ('key', 'held', 'unknown')),
  target       text not null check (target in ('key', 'held', 'spent', 'unknown')),
  amount       integer not null check (amount >= 0),
  check (source <> target)
) without rowid;
create index ledger_by_task on ledger (task_id, id);
create index ledger_by_reference on ledger (upstream, upstream_ref) where kind in ('settle', 'doubt', 'book');
create index ledger_by_time on ledger (upstream, at) where kind in ('settle', 'doubt', 'book');

-- What a key has used: whoever wants to hold more holds this row until its commit. Day -1 is all days.
create table spending (
  key_id text not null,
  day    integer not null,
  held   integer not null,
  spent  integer not null, -- with what may have been charged
  primary key (key_id, day)
) without rowid;

-- The ledger added up. Writers of different shards never wait for each other.
create table daily_usage (
  owner    text not null,
  day      integer not null,
  key_id   text not null,
  model    text not null,
  shard    integer not null,
  tasks    integer not null,
  held     integer not null,
  spent    integer not null,
  unknown  integer not null, -- what tasks may have cost of which that is not known
  doubtful integer not null, -- how many these are
  primary key (owner, day, key_id, model, shard)
) without rowid;
