-- A task: what was asked (spec), where it stands, what came of it (outcome). Cold and wide.
create table task (
  id              text    not null primary key,
  owner           text    not null,
  request_id      text    not null,
  requested_model text    not null,
  model           text    not null,
  upstream        text    not null,
  status          text    not null check (status in ('pending', 'running', 'succeeded', 'failed')),
  error_code      text,
  version         integer not null,
  created_at      integer not null,
  updated_at      integer not null,
  completed_at    integer,
  expires_at      integer not null,
  progress        real,
  draft_task_id   text,
  metadata        text,
  spec            blob    not null,
  outcome         blob    not null
);
create index task_by_owner on task (owner, id desc);
create index task_by_owner_status on task (owner, status, id desc);
create index task_by_request on task (owner, request_id);

-- What a task in flight needs next. Hot and narrow; the row goes when the task ends.
create table schedule (
  id               text    not null primary key references task (id),
  upstream         text    not null,
  state            text    not null,
  rank             integer not null, -- 9 - priority, so that an ascending index serves the highest first
  due              integer not null,
  attempt          integer not null default 0,
  worker           text,
  lease_until      integer not null default 0,
  upstream_ref     text,
  polls            integer not null default 0,
  cancel_requested integer not null default 0,
  expires_at       integer not null
) without rowid;
create index schedule_queue on schedule (upstream, rank, id) where state = 'queued';
create index schedule_due on schedule (state, due) where worker is null and state in ('polling', 'fetching', 'unknown');
create index schedule_lease on schedule (lease_until) where worker is not null;
create index schedule_expiry on schedule (expires_at);

-- How many tasks of an upstream may occupy a slot, also while they sleep upstream.
create table slot (
  upstream text    not null primary key,
  capacity integer not null,
  used     integer not null default 0
) without rowid;

-- Every time a task was handed out to be rendered or submitted.
create table attempt (
  task_id    text    not null references task (id) on delete cascade,
  attempt    integer not null,
  event      text    not null,
  worker     text    not null,
  started_at integer not null,
  ended_at   integer,
  ended_by   text,
  primary key (task_id, attempt)
) without rowid;

create table idempotency (
  owner       text    not null,
  key         text    not null,
  fingerprint blob    not null,
  task_id     text    not null,
  response    blob    not null,
  created_at  integer not null,
  primary key (owner, key)
) without rowid;
create index idempotency_age on idempotency (created_at);

create table api_key (
  id         text    not null primary key,
  owner      text    not null,
  name       text    not null,
  hash       blob    not null unique, -- sha256 of the key; the key itself is nowhere
  last_four  text    not null,
  created_at integer not null,
  revoked_at integer
) without rowid;

-- Secrets of the server itself, such as the key that signs links.
create table secret (
  name  text not null primary key,
  value blob not null
) without rowid;
