-- The full life of a task: routes, lanes, reconciliation, cancels that reach the upstream, a timeline.
alter table task add column key_id text collate "C";
alter table task add column routes bytea not null default '\x5b5d';

-- Inline inputs (data URIs), apart from the task: they may hold megabytes and are read once.
create table task_input (
  task_id text   collate "C" not null references task (id) on delete cascade,
  item    bigint not null, -- index in the request's content
  data    text   not null,
  primary key (task_id, item)
);

-- the pool of the key's own limit
alter table schedule add column lane text collate "C" not null default '';
-- the attempt of the last paid call
alter table schedule add column submission bigint not null default 0;
alter table schedule add column route bigint not null default 0;
alter table schedule add column accepted_at bigint;
alter table schedule add column give_up_at bigint;
alter table schedule add column woken bigint not null default 0;
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
  name         text             collate "C" not null primary key,
  capacity     bigint           not null,
  used         bigint           not null default 0,
  pace         double precision not null default 0, -- ms between calls; 0 is no rate
  burst        bigint           not null default 0,
  full_at      double precision not null default 0,
  paused_until bigint           not null default 0
) with (fillfactor = 30);
insert into pool (name, capacity, used) select 'upstream:' || upstream, capacity, used from slot;
drop table slot;

create table timeline (
  task_id    text   collate "C" not null references task (id) on delete cascade,
  attempt    bigint not null,
  kind       text   collate "C" not null,
  upstream   text   collate "C" not null,
  model      text   collate "C" not null,
  worker     text   collate "C",
  started_at bigint not null,
  ended_at   bigint,
  result     text   collate "C",
  message    text,
  polls      bigint,
  primary key (task_id, attempt, kind)
) with (fillfactor = 80);
insert into timeline (task_id, attempt, kind, upstream, model, worker, started_at, ended_at, result)
  select attempt.task_id, attempt.attempt, case attempt.event when 'claim_render' then 'render' else 'submit' end,
         task.upstream, task.model, attempt.worker, attempt.started_at, attempt.ended_at, attempt.ended_by
  from attempt join task on task.id = attempt.task_id;
drop table attempt;

-- tasks of this key that may occupy slots at once
alter table api_key add column concurrency bigint;

-- How many tasks of a kind an owner has: the total of a list without counting it.
create table tally (
  owner           text   collate "C" not null,
  requested_model text   collate "C" not null,
  model           text   collate "C" not null,
  status          text   collate "C" not null,
  error_code      text   collate "C" not null, -- empty where there is none
  shard           bigint not null, -- writers of different shards never wait for each other
  tasks           bigint not null,
  primary key (owner, requested_model, model, status, error_code, shard)
) with (fillfactor = 50);
insert into tally (owner, requested_model, model, status, error_code, shard, tasks)
  select owner, requested_model, model, status, coalesce(error_code, ''), 0, count(*)
  from task group by 1, 2, 3, 4, 5;

-- The last transaction of each connection that writes: tells whether a commit happened whose answer was lost.
create table commit_mark (
  lane   text   collate "C" not null primary key,
  serial bigint not null,
  at     bigint not null
) with (fillfactor = 30);
