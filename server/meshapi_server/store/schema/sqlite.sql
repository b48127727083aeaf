-- What all migrations together make of an empty database: to be read, never executed by the server. A test compares
-- the two catalogues.

-- A task: what was asked (spec), where it stands, what came of it (outcome). Cold and wide.
create table task (
  id              text not null primary key,
  owner           text not null,
  request_id      text not null,
  requested_model text not null,
  model           text not null,
  upstream        text not null,
  status          text not null check (status in ('pending', 'running', 'succeeded', 'failed')),
  error_code      text,
  version         integer not null,
  created_at      integer not null,
  updated_at      integer not null,
  completed_at    integer,
  expires_at      integer not null,
  progress        real,
  draft_task_id   text,
  metadata        text,
  spec            blob not null,
  outcome         blob not null,
  key_id          text,
  routes          blob not null default x'5b5d',
  files_removed_at integer -- when its files were removed, though the task is still told of
);
create index task_by_owner on task (owner, id desc);
create index task_by_owner_status on task (owner, status, id desc);
create index task_by_request on task (owner, request_id);
-- What still has files, oldest first.
create index task_with_files on task (id) where status = 'succeeded' and files_removed_at is null;

-- Deleted tasks that may have left files: what a database may take for a leftover is what it has deleted itself.
create table deleted_task (
  id         text    not null primary key,
  deleted_at integer not null
) without rowid;

-- Inline inputs (data URIs), apart from the task: they may hold megabytes and are read once.
create table task_input (
  task_id text not null references task (id) on delete cascade,
  item    integer not null, -- index in the request's content
  data    text not null,
  primary key (task_id, item)
) without rowid;

-- What a task in flight needs next. Hot and narrow; the row goes when nothing is left to do.
create table schedule (
  id               text not null primary key references task (id),
  upstream         text not null,
  state            text not null,
  rank             integer not null, -- 9 - priority, so that an ascending index serves the highest first
  due              integer not null,
  attempt          integer not null default 0,
  worker           text,
  lease_until      integer not null default 0,
  upstream_ref     text,
  polls            integer not null default 0,
  cancel_requested integer not null default 0,
  expires_at       integer not null,
  lane             text not null default '', -- the pool of the key's own limit
  submission       integer not null default 0, -- the attempt of the last paid call
  route            integer not null default 0,
  accepted_at      integer,
  give_up_at       integer,
  woken            integer not null default 0
) without rowid;
create index schedule_queue on schedule (upstream, rank, id) where state = 'queued';
create index schedule_lane on schedule (upstream, lane, rank, id) where state = 'queued';
create index schedule_due on schedule (upstream, state, due)
  where worker is null and state in ('polling', 'fetching', 'unknown', 'cancelling');
create index schedule_lease on schedule (lease_until) where worker is not null;
create index schedule_by_lane on schedule (lane) where lane <> ''; -- of keys that have a limit
create index schedule_expiry on schedule (expires_at);
create index schedule_give_up on schedule (give_up_at) where give_up_at is not null;

-- Limits that hold over any number of processes: of an upstream, of its polls, of a key.
create table pool (
  name         text not null primary key,
  capacity     integer not null,
  used         integer not null default 0,
  pace         real not null default 0, -- ms between calls; 0 is no rate
  burst        integer not null default 0,
  full_at      real not null default 0,
  paused_until integer not null default 0
) without rowid;

-- Every attempt at a task, and the sum of its looks.
create table timeline (
  task_id    text not null references task (id) on delete cascade,
  attempt    integer not null,
  kind       text not null,
  upstream   text not null,
  model      text not null,
  worker     text,
  started_at integer not null,
  ended_at   integer,
  result     text,
  message    text,
  polls      integer,
  primary key (task_id, attempt, kind)
) without rowid;

create table idempotency (
  owner       text not null,
  key         text not null,
  fingerprint blob not null,
  task_id     text not null,
  response    blob not null,
  created_at  integer not null,
  primary key (owner, key)
) without rowid;
create index idempotency_age on idempotency (created_at);

create table api_key (
  id          text not null primary key,
  owner       text not null,
  name        text not null,
  hash        blob not null unique, -- sha256 of the key; the key itself is nowhere
  last_four   text not null,
  created_at  integer not null,
  revoked_at  integer,
  concurrency integer, -- tasks of this key that may occupy slots at once
  admin integer not null default 0, -- may manage keys, and nothing else
  models text, -- the patterns of the models that it may use, as JSON. None is all
  requests_per_minute integer,
  requests_per_day integer,
  tasks_in_flight integer, -- that have not ended
  budget_per_day integer, -- nano-dollars of one day (UTC)
  budget_total integer, -- nano-dollars
  expires_at integer,
  suspended_at integer,
  rotated_at integer,
  old_hash blob, -- of the secret before, which opens until `old_until`
  old_until integer
) without rowid;
create unique index api_key_old_hash on api_key (old_hash) where old_hash is not null;

-- How often a key asked lately, one row for each of its limits. Whoever counts holds the row until the commit.
create table request_window (
  key_id  text not null references api_key (id),
  seconds integer not null, -- the length of the window
  counts  text not null, -- as JSON, see accounts/windows.py
  primary key (key_id, seconds)
) without rowid;

-- Secrets of the server itself, such as the key that signs links.
create table secret (
  name  text not null primary key,
  value blob not null
) without rowid;

-- How many tasks of a kind an owner has: the total of a list without counting it.
create table tally (
  owner           text not null,
  requested_model text not null,
  model           text not null,
  status          text not null,
  error_code      text not null, -- empty where there is none
  shard           integer not null, -- writers of different shards never wait for each other
  tasks           integer not null,
  primary key (owner, requested_model, model, status, error_code, shard)
) without rowid;

-- What ended, for its owner. It outlives the task, so that a deleted one is still told.
create table event (
  id         text    not null primary key,
  owner      text    not null,
  type       text    not null,
  task_id    text    not null,
  created_at integer not null,
  task       blob    not null -- as it was when it ended
) without rowid;
create index event_by_owner on event (owner, id);

-- The newest event of an owner: whoever adds one holds this row until its commit, so that the ids of an owner's events
-- ascend in the order of their commits and a reader of the feed misses none.
create table feed (
  owner   text not null primary key,
  earlier text not null,
  last    text not null
) without rowid;

create table endpoint (
  id          text    not null primary key,
  owner       text    not null,
  url         text    not null,
  description text    not null,
  enabled     integer not null,
  events      text    not null, -- the types it wants, as JSON; none is all
  created_at  integer not null,
  updated_at  integer not null
) without rowid;
create index endpoint_by_owner on endpoint (owner, id);

-- What deliveries are signed with, of an endpoint or (for the URLs of single tasks) of an owner.
create table webhook_secret (
  id         text    not null primary key,
  holder     text    not null,
  value      blob    not null,
  created_at integer not null,
  expires_at integer -- of one that was replaced
) without rowid;
create unique index webhook_secret_current on webhook_secret (holder) where expires_at is null;
create index webhook_secret_by_holder on webhook_secret (holder, id);

create table delivery (
  id          text    not null primary key,
  owner       text    not null,
  event_id    text    not null references event (id) on delete cascade,
  type        text    not null,
  task_id     text    not null,
  endpoint_id text, -- none for the URL of a single task
  url         text    not null,
  host        text    not null, -- with the port: what is called at once is bounded for each
  status      text    not null check (status in ('pending', 'delivered', 'dead')),
  created_at  integer not null,
  due         integer, -- of the next attempt, while it is pending
  attempt     integer not null default 0,
  tries       integer not null default 0, -- since it was made, or asked for again
  worker      text,
  lease_until integer not null default 0,
  ended_at    integer,
  http_status integer, -- of the last attempt
  error       text
) without rowid;
create index delivery_due on delivery (host, due) where due is not null and worker is null;
create index delivery_lease on delivery (lease_until) where worker is not null;
create index delivery_by_owner on delivery (owner, id desc);
create index delivery_by_owner_status on delivery (owner, status, id desc);
create index delivery_by_event on delivery (event_id);
create index delivery_by_endpoint on delivery (endpoint_id);

create table delivery_attempt (
  delivery_id text    not null references delivery (id) on delete cascade,
  attempt     integer not null,
  started_at  integer not null,
  ended_at    integer, -- none: it goes on, or its worker died
  http_status integer,
  error       text,
  primary key (delivery_id, attempt)
) without rowid;

-- What tasks cost, in nano-dollars; a day counts from 1970-01-01, UTC. Double entry: each line takes an amount from one
-- account of a key and adds it to another. It outlives the task.
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
