-- Callbacks: what happened, who is to be told, and how telling them went.

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
