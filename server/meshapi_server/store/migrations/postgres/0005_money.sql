-- What tasks cost. All amounts are nano-dollars; a day counts from 1970-01-01, UTC.

-- Double entry: each line takes an amount from one account of a key and adds it to another. It outlives the task.
create table ledger (
  id           text collate "C" not null primary key,
  at           bigint not null,
  owner        text collate "C" not null,
  day          bigint not null, -- on which the task was asked for
  key_id       text collate "C" not null,
  model        text collate "C" not null,
  task_id      text collate "C" not null,
  upstream     text collate "C" not null,
  upstream_ref text collate "C",
  kind         text collate "C" not null check (kind in ('hold', 'release', 'settle', 'doubt', 'book')),
  source       text collate "C" not null check (source in ('key', 'held', 'unknown')),
  target       text collate "C" not null check (target in ('key', 'held', 'spent', 'unknown')),
  amount       bigint not null check (amount >= 0),
  check (source <> target)
);
create index ledger_by_task on ledger (task_id, id);
create index ledger_by_reference on ledger (upstream, upstream_ref) where kind in ('settle', 'doubt', 'book');
create index ledger_by_time on ledger (upstream, at) where kind in ('settle', 'doubt', 'book');

-- What a key has used: whoever wants to hold more holds this row until its commit. Day -1 is all days.
create table spending (
  key_id text collate "C" not null,
  day    bigint not null,
  held   bigint not null,
  spent  bigint not null, -- with what may have been charged
  primary key (key_id, day)
) with (fillfactor = 30);

-- The ledger added up. Writers of different shards never wait for each other.
create table daily_usage (
  owner    text collate "C" not null,
  day      bigint not null,
  key_id   text collate "C" not null,
  model    text collate "C" not null,
  shard    bigint not null,
  tasks    bigint not null,
  held     bigint not null,
  spent    bigint not null,
  unknown  bigint not null, -- what tasks may have cost of which that is not known
  doubtful bigint not null, -- how many these are
  primary key (owner, day, key_id, model, shard)
) with (fillfactor = 50);
