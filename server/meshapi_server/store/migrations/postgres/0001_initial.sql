-- Identifiers and names compare byte by byte ("C"), whatever the database's language: ids sort by creation.

-- A task: what was asked (spec), where it stands, what came of it (outcome). Cold and wide.
create table task (
  id              text             collate "C" not null primary key,
  owner           text             collate "C" not null,
  request_id      text             collate "C" not null,
  requested_model text             collate "C" not null,
  model           text             collate "C" not null,
  upstream        text             collate "C" not null,
  status          text             collate "C" not null check (status in ('pending', 'running', 'succeeded', 'failed')),
  error_code      text             collate "C",
  version         bigint           not null,
  created_at      bigint           not null,
  updated_at      bigint           not null,
  completed_at    bigint,
  expires_at      bigint           not null,
  progress        double precision,
  draft_task_id   text             collate "C",
  metadata        jsonb,
  spec            bytea            not null,
  outcome         bytea            not null
) with (fillfactor = 90);
create index task_by_owner on task (owner, id desc);
create index task_by_owner_status on task (owner, status, id desc);
create index task_by_request on task (owner, request_id);

-- What a task in flight needs next. Hot and narrow; the row goes when the task ends.
create table schedule (
  id               text   collate "C" not null primary key references task (id),
  upstream         text   collate "C" not null,
  state            text   collate "C" not null,
  rank             bigint not null, -- 9 - priority, so that an ascending index serves the highest first
  due              bigint not null,
  attempt          bigint not null default 0,
  worker           text   collate "C",
  lease_until      bigint not null default 0,
  upstream_ref     text   collate "C",
  polls            bigint not null default 0,
  cancel_requested bigint not null default 0,
  expires_at       bigint not null
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create index schedule_queue on schedule (upstream, rank, id) where state = 'queued';
create index schedule_due on schedule (state, due) where worker is null and state in ('polling', 'fetching', 'unknown');
create index schedule_lease on schedule (lease_until) where worker is not null;
create index schedule_expiry on schedule (expires_at);

-- How many tasks of an upstream may occupy a slot, also while they sleep upstream.
create table slot (
  upstream text   collate "C" not null primary key,
  capacity bigint not null,
  used     bigint not null default 0
) with (fillfactor = 30);

-- Every time a task was handed out to be rendered or submitted.
create table attempt (
  task_id    text   collate "C" not null references task (id) on delete cascade,
  attempt    bigint not null,
  event      text   collate "C" not null,
  worker     text   collate "C" not null,
  started_at bigint not null,
  ended_at   bigint,
  ended_by   text   collate "C",
  primary key (task_id, attempt)
);

create table idempotency (
  owner       text   collate "C" not null,
  key         text   collate "C" not null,
  fingerprint bytea  not null,
  task_id     text   collate "C" not null,
  response    bytea  not null,
  created_at  bigint not null,
  primary key (owner, key)
);
create index idempotency_age on idempotency (created_at);

create table api_key (
  id         text   collate "C" not null primary key,
  owner      text   collate "C" not null,
  name       text   not null,
  hash       bytea  not null unique, -- sha256 of the key; the key itself is nowhere
  last_four  text   collate "C" not null,
  created_at bigint not null,
  revoked_at bigint
);

-- Secrets of the server itself, such as the key that signs links.
create table secret (
  name  text  collate "C" not null primary key,
  value bytea not null
);
