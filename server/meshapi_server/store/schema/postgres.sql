-- What all migrations together make of an empty database: to be read, never executed by the server. A test compares
-- the two catalogues.

-- A task: what was asked (spec), where it stands, what came of it (outcome). Cold and wide.
create table task (
  id              text collate "C" not null primary key,
  owner           text collate "C" not null,
  request_id      text collate "C" not null,
  requested_model text collate "C" not null,
  model           text collate "C" not null,
  upstream        text collate "C" not null,
  status          text collate "C" not null check (status in ('pending', 'running', 'succeeded', 'failed')),
  error_code      text collate "C",
  version         bigint not null,
  created_at      bigint not null,
  updated_at      bigint not null,
  completed_at    bigint,
  expires_at      bigint not null,
  progress        double precision,
  draft_task_id   text collate "C",
  metadata        jsonb,
  spec            bytea not null,
  outcome         bytea not null,
  key_id          text collate "C",
  routes          bytea not null default '\x5b5d',
  files_removed_at bigint -- when its files were removed, though the task is still told of
) with (fillfactor = 90);
create index task_by_owner on task (owner, id desc);
create index task_by_owner_status on task (owner, status, id desc);
create index task_by_request on task (owner, request_id);
-- What still has files, oldest first.
create index task_with_files on task (id) where status = 'succeeded' and files_removed_at is null;

-- Deleted tasks that may have left files: what a database may take for a leftover is what it has deleted itself.
create table deleted_task (
  id         text collate "C" not null primary key,
  deleted_at bigint not null
);

-- Inline inputs (data URIs), apart from the task: they may hold megabytes and are read once.
create table task_input (
  task_id text collate "C" not null references task (id) on delete cascade,
  item    bigint not null, -- index in the request's content
  data    text not null,
  primary key (task_id, item)
);

-- What a task in flight needs next. Hot and narrow; the row goes when nothing is left to do.
create table schedule (
  id               text collate "C" not null primary key references task (id),
  upstream         text collate "C" not null,
  state            text collate "C" not null,
  rank             bigint not null, -- 9 - priority, so that an ascending index serves the highest first
  due              bigint not null,
  attempt          bigint not null default 0,
  worker           text collate "C",
  lease_until      bigint not null default 0,
  upstream_ref     text collate "C",
  polls            bigint not null default 0,
  cancel_requested bigint not null default 0,
  expires_at       bigint not null,
  lane             text collate "C" not null default '', -- the pool of the key's own limit
  submission       bigint not null default 0, -- the attempt of the last paid call
  route            bigint not null default 0,
  accepted_at      bigint,
  give_up_at       bigint,
  woken            bigint not null default 0
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
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
  name         text collate "C" not null primary key,
  capacity     bigint not null,
  used         bigint not null default 0,
  pace         double precision not null default 0, -- ms between calls; 0 is no rate
  burst        bigint not null default 0,
  full_at      double precision not null default 0,
  paused_until bigint not null default 0
) with (fillfactor = 30);

-- Every attempt at a task, and the sum of its looks.
create table timeline (
  task_id    text collate "C" not null references task (id) on delete cascade,
  attempt    bigint not null,
  kind       text collate "C" not null,
  upstream   text collate "C" not null,
  model      text collate "C" not null,
  worker     text collate "C",
  started_at bigint not null,
  ended_at   bigint,
  result     text collate "C",
  message    text,
  polls      bigint,
  primary key (task_id, attempt, kind)
) with (fillfactor = 80);

create table idempotency (
  owner       text collate "C" not null,
  key         text collate "C" not null,
  fingerprint bytea not null,
  task_id     text collate "C" not null,
  response    bytea not null,
  created_at  bigint not null,
  primary key (owner, key)
);
create index idempotency_age on idempotency (created_at);

create table api_key (
  id          text collate "C" not null primary key,
  owner       text collate "C" not null,
  name        text not null,
  hash        bytea not null unique, -- sha256 of the key; the key itself is nowhere
  last_four   text collate "C" not null,
  created_at  bigint not null,
  revoked_at  bigint,
  concurrency bigint, -- tasks of this key that may occupy slots at once
  admin bigint not null default 0, -- may manage keys, and nothing else
  models text, -- the patterns of the models that it may use, as JSON. None is all
  requests_per_minute bigint,
  requests_per_day bigint,
  tasks_in_flight bigint, -- that have not ended
  budget_per_day bigint, -- nano-dollars of one day (UTC)
  budget_total bigint, -- nano-dollars
  expires_at bigint,
  suspended_at bigint,
  rotated_at bigint,
  old_hash bytea, -- of the secret before, which opens until `old_until`
  old_until bigint
);
create unique index api_key_old_hash on api_key (old_hash) where old_hash is not null;

-- How often a key asked lately, one row for each of its limits. Whoever counts holds the row until the commit.
create table request_window (
  key_id  text collate "C" not null references api_key (id),
  seconds bigint not null, -- the length of the window
  counts  text not null, -- as JSON, see accounts/windows.py
  primary key (key_id, seconds)
) with (fillfactor = 30);

-- Secrets of the server itself, such as the key that signs links.
create table secret (
  name  text collate "C" not null primary key,
  value bytea not null
);

-- How many tasks of a kind an owner has: the total of a list without counting it.
create table tally (
  owner           text collate "C" not null,
  requested_model text collate "C" not null,
  model           text collate "C" not null,
  status          text collate "C" not null,
  error_code      text collate "C" not null, -- empty where there is none
  shard           bigint not null, -- writers of different shards never wait for each other
  tasks           bigint not null,
  primary key (owner, requested_model, model, status, error_code, shard)
) with (fillfactor = 50);

-- The last transaction of each connection that writes: tells whether a commit happened whose answer was lost.
create table commit_mark (
  lane   text collate "C" not null primary key,
  serial bigint not null,
  at     bigint not null
) with (fillfactor = 30);

-- What ended, for its owner. It outlives the task, so that a deleted one is still told.
create table event (
  id         text collate "C" not null primary key,
  owner      text collate "C" not null,
  type       text collate "C" not null,
  task_id    text collate "C" not null,
  created_at bigint not null,
  task       bytea not null -- as it was when it ended
);
create index event_by_owner on event (owner, id);

-- The newest event of an owner: whoever adds one holds this row until its commit, so that the ids of an owner's events
-- ascend in the order of their commits and a reader of the feed misses none.
create table feed (
  owner   text collate "C" not null primary key,
  earlier text collate "C" not null,
  last    text collate "C" not null
) with (fillfactor = 30);

create table endpoint (
  id          text collate "C" not null primary key,
  owner       text collate "C" not null,
  url         text not null,
  description text not null,
  enabled     bigint not null,
  events      text not null, -- the types it wants, as JSON; none is all
  created_at  bigint not null,
  updated_at  bigint not null
);
create index endpoint_by_owner on endpoint (owner, id);

-- What deliveries are signed with, of an endpoint or (for the URLs of single tasks) of an owner.
create table webhook_secret (
  id         text collate "C" not null primary key,
  holder     text collate "C" not null,
  value      bytea not null,
  created_at bigint not null,
  expires_at bigint -- of one that was replaced
);
create unique index webhook_secret_current on webhook_secret (holder) where expires_at is null;
create index webhook_secret_by_holder on webhook_secret (holder, id);

create table delivery (
  id          text collate "C" not null primary key,
  owner       text collate "C" not null,
  event_id    text collate "C" not null references event (id) on delete cascade,
  type        text collate "C" not null,
  task_id     text collate "C" not null,
  endpoint_id text collate "C", -- none for the URL of a single task
  url         text not null,
  host        text collate "C" not null, -- with the port: what is called at once is bounded for each
  status      text collate "C" not null check (status in ('pending', 'delivered', 'dead')),
  created_at  bigint not null,
  due         bigint, -- of the next attempt, while it is pending
  attempt     bigint not null default 0,
  tries       bigint not null default 0, -- since it was made, or asked for again
  worker      text collate "C",
  lease_until bigint not null default 0,
  ended_at    bigint,
  http_status bigint, -- of the last attempt
  error       text
) with (fillfactor = 70);
create index delivery_due on delivery (host, due) where due is not null and worker is null;
create index delivery_lease on delivery (lease_until) where worker is not null;
create index delivery_by_owner on delivery (owner, id desc);
create index delivery_by_owner_status on delivery (owner, status, id desc);
create index delivery_by_event on delivery (event_id);
create index delivery_by_endpoint on delivery (endpoint_id);

create table delivery_attempt (
  delivery_id text collate "C" not null references delivery (id) on delete cascade,
  attempt     bigint not null,
  started_at  bigint not null,
  ended_at    bigint, -- none: it goes on, or its worker died
  http_status bigint,
  error       text,
  primary key (delivery_id, attempt)
) with (fillfactor = 80);

-- What tasks cost, in nano-dollars; a day counts from 1970-01-01, UTC. Double entry: each line takes an amount from one
-- account of a key and adds it to another. It outlives the task.
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
