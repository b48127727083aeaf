-- The full life of a task: routes, lanes, reconciliation, cancels that reach the upstream, a timeline.
alter table task add column key_id text;
alter table task add column routes blob not null default x'5b5d';

-- Inline inputs (data URIs), apart from the task: they may hold megabytes and are read once.
create table task_input (
  task_id text    not null references task (id) on delete cascade,
  item    integer not null, -- index in the request's content
  data    text    not null,
  primary key (task_id, item)
) without rowid;

-- the pool of the key's own limit
alter table schedule add column lane text not null default '';
-- the attempt of the last paid call
alter table schedule add column submission integer not null default 0;
alter table schedule add column route integer not null default 0;
alter table schedule add column accepted_at integer;
alter table schedule add column give_up_at integer;
alter table schedule add column woken integer not null default 0;
update schedule set submission = attempt where state in ('sending', 'unknown', 'polling', 'fetching');
update schedule set accepted_at = due where state in ('polling', 'fetching');
update schedule set give_up_at = due where state = 'unknown';

drop index schedule_due;
create index schedule_lane on schedule (upstream, lane, rank, id) where state = 'queued';
create index schedule_due on schedule (upstream, state, due)
  where worker is null and state in ('polling', 'fetching', 'unknown', 'cancelling');
create index schedule_give_up on schedule (give_up_at) where give_up_at is not null;

-- Limits that hold over any number of processes: of an upstream, of its polls, of a key.
create table pool (
  name         text    not null primary key,
  capacity     integer not null,
  used         integer not null default 0,
  pace         real    not null default 0, -- ms between calls; 0 is no rate
  burst        integer not null default 0,
  full_at      real    not null default 0,
  paused_until integer not null default 0
) without rowid;
insert into pool (name, capacity, used) select 'upstream:' || upstream, capacity, used from slot;
drop table slot;

create table timeline (
  task_id    text    not null references task (id) on delete cascade,
  attempt    integer not null,
  kind       text    not null,
  upstream   text    not null,
  model      text    not null,
  worker     text,
  started_at integer not null,
  ended_at   integer,
  result     text,
  message    text,
  polls      integer,
  primary key (task_id, attempt, kind)
) without rowid;
insert into timeline (task_id, attempt, kind, upstream, model, worker, started_at, ended_at, result)
  select attempt.task_id, attempt.attempt, case attempt.event when 'claim_render' then 'render' else 'submit' end,
         task.upstream, task.model, attempt.worker, attempt.started_at, attempt.ended_at, attempt.ended_by
  from attempt join task on task.id = attempt.task_id;
drop table attempt;

-- tasks of this key that may occupy slots at once
alter table api_key add column concurrency integer;

-- How many tasks of a kind an owner has: the total of a list without counting it.
create table tally (
  owner           text    not null,
  requested_model text    not null,
  model           text    not null,
  status          text    not null,
  error_code      text    not null, -- empty where there is none
  shard           integer not null, -- writers of different shards never wait for each other
  tasks           integer not null,
  primary key (owner, requested_model, model, status, error_code, shard)
) without rowid;
insert into tally (owner, requested_model, model, status, error_code, shard, tasks)
  select owner, requested_model, model, status, coalesce(error_code, ''), 0, count(*)
  from task group by 1, 2, 3, 4, 5;
