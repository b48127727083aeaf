-- What is kept of tasks that ended, and for how long. Ids sort by creation, so that `:newest` bounds the search: what
-- ended before a time was created before it.

-- name: get_linked_task
-- Whoever's it is: the link is signed.
select {task} from task where id = :id

-- name: expired_results
-- The list of conditions is the index's own, word for word.
select id from task
where status = 'succeeded' and files_removed_at is null and id > :after and id < :newest and completed_at < :before
order by id limit :most

-- name: remove_results
update task set files_removed_at = :now, updated_at = {greatest}(updated_at, :now), version = version + 1
where id {one of ids} and status = 'succeeded' and files_removed_at is null returning id

-- name: expired_records
-- A task whose upstream has yet to be told to stop is kept.
select id from task
where id > :after and id < :newest and status in ('succeeded', 'failed') and completed_at < :before
and not exists (select 1 from schedule where schedule.id = task.id)
order by id limit :most

-- name: forget_records
delete from task
where id {one of ids} and status in ('succeeded', 'failed')
and not exists (select 1 from schedule where schedule.id = task.id) returning {columns of task}

-- name: expired_inputs
select distinct task_id from task_input
where task_id < :newest
and exists (select 1 from task where task.id = task_input.task_id and task.completed_at < :before)
order by task_id limit :most

-- name: forget_inputs
delete from task_input where task_id {one of ids} returning task_id

-- name: known_tasks
select id from task where id {one of ids}

-- name: needed_files
-- Of these tasks, those that have files or may get some.
select id from task
where id {one of ids} and (status in ('pending', 'running') or (status = 'succeeded' and files_removed_at is null))
