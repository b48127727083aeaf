-- Callbacks: what happened, who is to be told, and how telling them went.

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
