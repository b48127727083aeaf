-- name: find_idempotencies
select idempotency.owner, idempotency.key, fingerprint, task_id, response
from unnest(:owners::text[], :keys::text[]) as wanted(owner, key)
join idempotency on idempotency.owner = wanted.owner and idempotency.key = wanted.key

-- name: lock_schedules
-- In the order of their ids, which is the order in which every transaction locks them. A statement of its own: the next
-- one sees the rows as they are once the locks are held.
select id from schedule where id {one of ids} order by id {lock}
