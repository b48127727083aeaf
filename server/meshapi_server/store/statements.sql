-- name: insert_task
-- The accepted task, in the same commit as its schedule and its idempotency record.
insert into task (id, owner, request_id, requested_model, model, upstream, status, error_code, version, created_at,
                  updated_at, completed_at, expires_at, progress, draft_task_id, metadata, spec, outcome)
values (:id, :owner, :request_id, :requested_model, :model, :upstream, :status, :error_code, :version, :created_at,
        :updated_at, :completed_at, :expires_at, :progress, :draft_task_id, :metadata, :spec, :outcome)

-- name: insert_schedule
insert into schedule (id, upstream, state, rank, due, expires_at)
values (:id, :upstream, :state, :rank, :due, :expires_at)

-- name: insert_idempotency
insert into idempotency (owner, key, fingerprint, task_id, response, created_at)
values (:owner, :key, :fingerprint, :task_id, :response, :created_at)

-- name: find_idempotency
select fingerprint, task_id, response from idempotency where owner = :owner and key = :key

-- name: sweep_idempotency
delete from idempotency where created_at < :before

-- name: get_task
select {task} from task where id = :id and owner = :owner

-- name: get_task_by_request
-- The newest, should a caller have used one request id twice.
select {task} from task where owner = :owner and request_id = :request_id order by id desc limit 1

-- name: list_tasks
select {task} from task where {filters} order by id desc limit :limit offset :offset

-- name: count_tasks
select count(*) from task where {filters}

-- name: delete_ended_task
delete from task where id = :id and owner = :owner and status in ('succeeded', 'failed') returning {task}

-- name: queue_place
select upstream, rank from schedule where id = :id and state = 'queued'

-- name: queue_head
select id from schedule where state = 'queued' and upstream = :upstream order by rank, id limit :most

-- name: queue_position
-- A range of the queue's index; counting stops at :most, so that a deep queue costs no more than a short one.
select count(*) from (
  select 1 from schedule where state = 'queued' and upstream = :upstream and (rank, id) < (:rank, :id) limit :most)

-- name: free_slots
select capacity - used from slot where upstream = :upstream

-- name: take_slots
update slot set used = used + :change where upstream = :upstream

-- name: set_capacity
insert into slot (upstream, capacity) values (:upstream, :capacity)
on conflict (upstream) do update set capacity = excluded.capacity

-- name: recount_slots
-- Used slots follow from the schedule; counted anew when a server starts alone on its store.
update slot set used = (select count(*) from schedule where schedule.upstream = slot.upstream
                        and state in ('rendering', 'sending', 'unknown', 'polling', 'fetching'))

-- name: queued_candidates
select id from schedule
where state = 'queued' and upstream = :upstream and due <= :now and worker is null
order by rank, id limit :limit

-- name: due_candidates
select id from schedule
where state = :state and due <= :now and worker is null order by due limit :limit

-- name: get_claim
select {schedule}, {task} from schedule join task on task.id = schedule.id where schedule.id = :id

-- name: get_claim_of_owner
select {schedule}, {task} from schedule join task on task.id = schedule.id
where schedule.id = :id and task.owner = :owner

-- name: get_schedule
select {schedule} from schedule where id = :id

-- name: save_schedule
-- Names the attempt that was read, so that two writers can never both win.
update schedule set state = :state, due = :due, attempt = :attempt, worker = :worker, lease_until = :lease_until,
                    upstream_ref = :upstream_ref, polls = :polls
where id = :id and attempt = :read_attempt

-- name: end_schedule
delete from schedule where id = :id

-- name: save_task
update task set status = :status, error_code = :error_code, version = :version, updated_at = :updated_at,
                completed_at = :completed_at, progress = :progress, outcome = :outcome
where id = :id and status in ('pending', 'running')

-- name: begin_attempt
insert into attempt (task_id, attempt, event, worker, started_at)
values (:task_id, :attempt, :event, :worker, :started_at)

-- name: end_attempt
update attempt set ended_at = :ended_at, ended_by = :ended_by
where task_id = :task_id and attempt = :attempt and ended_at is null

-- name: request_cancel
update schedule set cancel_requested = 1
where id = :id and state = 'sending' and exists (select 1 from task where task.id = schedule.id and owner = :owner)

-- name: expired_leases
select id, state from schedule where worker is not null and lease_until < :now

-- name: all_leases
select id, state from schedule where worker is not null

-- name: expired_tasks
-- A task being sent is left alone: its answer decides, or its lease does.
select id from schedule where expires_at < :now and state <> 'sending'

-- name: unresolved_tasks
select id from schedule where state = 'unknown' and worker is null and due < :now

-- name: count_states
select state, count(*) from schedule group by state

-- name: insert_key
insert into api_key (id, owner, name, hash, last_four, created_at)
values (:id, :owner, :name, :hash, :last_four, :created_at)

-- name: find_key
select {key} from api_key where hash = :hash

-- name: list_keys
select {key} from api_key order by created_at, id

-- name: revoke_key
update api_key set revoked_at = :now where id = :id and revoked_at is null

-- name: get_key
select {key} from api_key where id = :id

-- name: get_secret
select value from secret where name = :name

-- name: insert_secret
insert into secret (name, value) values (:name, :value) on conflict (name) do nothing
