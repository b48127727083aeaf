-- Both dialects run these. `:name` is a parameter; `{task}` and the like are a table's columns; `{one of names}`
-- compares with a list, `{each names}` is a list as a table with the column `value`; `{lock}` and `{skip}` lock rows
-- (and skip locked ones) where the dialect locks rows and the caller means to write them.

-- name: insert_task
-- The accepted task, in the same commit as its schedule and its idempotency record.
insert into task (id, owner, key_id, request_id, requested_model, model, upstream, routes, status, error_code, version,
                  created_at, updated_at, completed_at, expires_at, progress, draft_task_id, metadata, spec, outcome)
values (:id, :owner, :key_id, :request_id, :requested_model, :model, :upstream, :routes, :status, :error_code, :version,
        :created_at, :updated_at, :completed_at, :expires_at, :progress, :draft_task_id, :metadata, :spec, :outcome)

-- name: insert_schedule
insert into schedule (id, upstream, lane, state, rank, due, expires_at)
values (:id, :upstream, :lane, :state, :rank, :due, :expires_at)

-- name: insert_input
insert into task_input (task_id, item, data) values (:task_id, :item, :data)

-- name: get_inputs
select item, data from task_input where task_id = :task_id

-- name: insert_idempotency
-- Whoever is first has the key. The row tells the others which task it made.
insert into idempotency (owner, key, fingerprint, task_id, response, created_at)
values (:owner, :key, :fingerprint, :task_id, :response, :created_at)
on conflict (owner, key) do nothing

-- name: reserve_key
-- The same for a single key; a row comes back only when it was free.
insert into idempotency (owner, key, fingerprint, task_id, response, created_at)
values (:owner, :key, :fingerprint, :task_id, :response, :created_at)
on conflict (owner, key) do nothing
returning owner, key, fingerprint, task_id, response

-- name: forget_key
-- Of a call that was refused after all.
delete from idempotency where owner = :owner and key = :key and task_id = :task_id

-- name: find_idempotency
select owner, key, fingerprint, task_id, response from idempotency where owner = :owner and key = :key

-- name: sweep_idempotency
delete from idempotency where created_at < :before returning key

-- name: get_task
select {task} from task where id = :id and owner = :owner

-- name: get_task_by_request
-- The newest, should a caller have used one request id twice.
select {task} from task where owner = :owner and request_id = :request_id order by id desc limit 1

-- name: list_tasks
select {task} from task where {filters} order by id desc limit :limit offset :offset

-- name: count_tasks
-- Counting stops at :most.
select count(*) from (select 1 from task where {filters} limit :most) as found

-- name: sum_tally
select cast(coalesce(sum(tasks), 0) as bigint) from tally where {filters}

-- name: add_tally
insert into tally (owner, requested_model, model, status, error_code, shard, tasks)
values (:owner, :requested_model, :model, :status, :error_code, :shard, :change)
on conflict (owner, requested_model, model, status, error_code, shard) do update set tasks = tally.tasks + excluded.tasks

-- name: delete_ended_task
delete from task where id = :id and owner = :owner and status in ('succeeded', 'failed')
and not exists (select 1 from schedule where schedule.id = task.id) returning {columns of task}

-- name: queue_position
-- A range of the queue's index; counting stops at :most, so that a deep queue costs no more than a short one. Upstream and
-- rank are looked up apart: only what is fixed before the counting begins bounds the range in SQLite.
select (select count(*) from (
          select 1 from schedule as ahead
          where ahead.state = 'queued' and ahead.upstream = (select upstream from schedule where id = :id)
          and (ahead.rank, ahead.id) < ((select rank from schedule where id = :id), :id)
          limit :most) as found)
from schedule where id = :id and state = 'queued'

-- name: queue_head
select id from schedule where state = 'queued' and upstream = :upstream order by rank, id limit :most

-- name: queue_behind
-- What is due in a queue behind a place, with what else may be asked.
select schedule.id, schedule.rank, schedule.lane, schedule.route, task.routes
from schedule join task on task.id = schedule.id
where schedule.state = 'queued' and schedule.upstream = :upstream
and (schedule.rank, schedule.id) > (:after_rank, :after_id) and schedule.due <= :now
order by schedule.rank, schedule.id limit :most

-- name: queued_among
select id from schedule where state = 'queued' and id {one of ids}

-- name: get_pools
-- In the order of their names, which is the order in which every transaction locks them.
select {pool} from pool where name {one of names} order by name {lock}

-- name: use_pool
insert into pool (name, capacity, used) values (:name, 1000000000, :change)
on conflict (name) do update set used = pool.used + excluded.used

-- name: save_pool_rate
update pool set full_at = :full_at where name = :name

-- name: set_pool
insert into pool (name, capacity, pace, burst) values (:name, :capacity, :interval, :burst)
on conflict (name) do update set capacity = excluded.capacity, pace = excluded.pace, burst = excluded.burst

-- name: pause_pool
insert into pool (name, capacity, paused_until) values (:name, 1000000000, :until)
on conflict (name) do update set paused_until = {greatest}(pool.paused_until, excluded.paused_until)

-- name: recount_pools
-- Used slots follow from the schedule; counted anew when a server starts alone on its store.
update pool set used = (select count(*) from schedule
                        where (pool.name = 'upstream:' || schedule.upstream or pool.name = schedule.lane)
                        and state in ('rendering', 'sending', 'unknown', 'polling', 'fetching', 'cancelling'))

-- name: busy_queues
select each.value from {each upstreams}
where exists (select 1 from schedule where state = 'queued' and upstream = each.value)

-- name: busy_upstreams
-- Those of which something is due in a state. The list of states is the index's own condition: SQLite takes the index
-- only where it finds that again, word for word.
select each.value from {each upstreams}
where exists (select 1 from schedule
              where state = '{state}' and upstream = each.value and due <= :now and worker is null
              and state in ('polling', 'fetching', 'unknown', 'cancelling'))

-- name: queued_lanes
-- The lanes in which something waits: one step of the index for each, however many tasks they hold.
with recursive waiting(lane) as (
  select min(lane) from schedule where state = 'queued' and upstream = :upstream
  union all
  select (select min(lane) from schedule where state = 'queued' and upstream = :upstream and lane > waiting.lane)
  from waiting where waiting.lane is not null)
select lane from waiting where lane is not null

-- name: queued_candidates
select rank, id from schedule
where state = 'queued' and upstream = :upstream and lane = :lane and due <= :now and worker is null
order by rank, id limit :limit {skip}

-- name: due_candidates
select due, id from schedule
where upstream = :upstream and state = '{state}' and due <= :now and worker is null
and state in ('polling', 'fetching', 'unknown', 'cancelling')
order by due limit :limit {skip}

-- name: get_rows
select {schedule}, {task} from schedule join task on task.id = schedule.id where schedule.id {one of ids}

-- name: get_model
select model from task where id = :id

-- name: get_schedule
select {schedule} from schedule where id = :id

-- name: save_schedule
-- Names the attempt that was read, so that two writers can never both win.
update schedule set state = :state, upstream = :upstream, due = :due, attempt = :attempt, submission = :submission,
                    route = :route, worker = :worker, lease_until = :lease_until, upstream_ref = :upstream_ref,
                    accepted_at = :accepted_at, polls = :polls, give_up_at = :give_up_at, woken = :woken,
                    cancel_requested = :cancel_requested
where id = :id and attempt = :read_attempt

-- name: end_schedule
delete from schedule where id = :id

-- name: save_task
update task set status = :status, model = :model, upstream = :upstream, error_code = :error_code, version = :version,
                updated_at = :updated_at, completed_at = :completed_at, progress = :progress, outcome = :outcome
where id = :id and status in ('pending', 'running')

-- name: begin_attempt
insert into timeline (task_id, attempt, kind, upstream, model, worker, started_at, ended_at, result, message, polls)
values (:task_id, :attempt, :kind, :upstream, :model, :worker, :started_at, :ended_at, :result, :message, :polls)
on conflict (task_id, attempt, kind) do nothing

-- name: end_attempt
update timeline set ended_at = :ended_at, result = :result, message = :message
where task_id = :task_id and attempt = :attempt and kind = :kind and ended_at is null

-- name: get_timeline
select {attempt} from timeline where task_id = :task_id order by started_at, attempt

-- name: wake
update schedule set woken = 1, due = {least}(due, :now) where id {one of ids} and state in ('sending', 'polling', 'unknown') returning id

-- name: expired_leases
select id from schedule where worker is not null and lease_until < :now limit :most {skip}

-- name: all_leases
select id from schedule where worker is not null limit :most {skip}

-- name: expired_tasks
-- A task being sent is left alone: its answer decides, or its lease does. One that is to be stopped has ended.
select id from schedule
where expires_at < :now and state not in ('sending', 'cancelling') and cancel_requested = 0 limit :most {skip}

-- name: given_up
select id from schedule where give_up_at < :now and worker is null limit :most {skip}

-- name: ping
select 1

-- name: count_states
select state, count(*) from schedule group by state

-- name: insert_key
insert into api_key (id, owner, name, hash, last_four, created_at, admin, models, requests_per_minute, requests_per_day,
                     tasks_in_flight, concurrency, budget_per_day, budget_total, expires_at, suspended_at, revoked_at,
                     rotated_at)
values (:id, :owner, :name, :hash, :last_four, :created_at, :admin, :models, :requests_per_minute, :requests_per_day,
        :tasks_in_flight, :concurrency, :budget_per_day, :budget_total, :expires_at, :suspended_at, :revoked_at,
        :rotated_at)

-- name: claim_first_key
-- A row comes back to one caller only; whoever comes later waits for its commit. No secret is in it.
insert into secret (name, value) values ('first-key', :value) on conflict (name) do nothing returning name

-- name: any_key
select id from api_key limit 1

-- name: find_key
select {key}, hash, old_until from api_key where hash = :hash or old_hash = :hash

-- name: list_keys
-- Of one owner, or, where that is empty, of all.
select {key} from api_key where id > :after and (:owner = '' or owner = :owner) order by id limit :limit

-- name: get_key
select {key} from api_key where id = :id {lock}

-- name: save_key
update api_key set name = :name, last_four = :last_four, models = :models, requests_per_minute = :requests_per_minute,
                   requests_per_day = :requests_per_day, tasks_in_flight = :tasks_in_flight, concurrency = :concurrency,
                   budget_per_day = :budget_per_day, budget_total = :budget_total, expires_at = :expires_at,
                   suspended_at = :suspended_at, revoked_at = :revoked_at, rotated_at = :rotated_at
where id = :id

-- name: replace_secret
update api_key set old_hash = hash, old_until = :old_until, hash = :hash where id = :id

-- name: enter_lane
-- Tasks that were accepted while their key had no limit are counted from now on.
update schedule set lane = :lane
where lane = '' and exists (select 1 from task where task.id = schedule.id and task.key_id = :key_id
                            and task.status in ('pending', 'running'))

-- name: recount_lane
update pool set used = (select count(*) from schedule where lane = :lane and lane <> ''
                        and state in ('rendering', 'sending', 'unknown', 'polling', 'fetching', 'cancelling'))
where name = :lane

-- name: lock_keys
select id from api_key where id {one of ids} order by id {lock}

-- name: count_in_flight
select schedule.lane, count(*) from schedule join task on task.id = schedule.id
where schedule.lane {one of names} and schedule.lane <> '' and task.status in ('pending', 'running')
group by schedule.lane

-- name: open_window
insert into request_window (key_id, seconds, counts) values (:key_id, :seconds, '[]')
on conflict (key_id, seconds) do nothing

-- name: get_windows
-- In the order in which every transaction locks them.
select key_id, seconds, counts from request_window where key_id {one of ids} order by key_id, seconds {lock}

-- name: save_window
update request_window set counts = :counts where key_id = :key_id and seconds = :seconds

-- name: get_secret
select value from secret where name = :name

-- name: insert_secret
insert into secret (name, value) values (:name, :value) on conflict (name) do nothing
