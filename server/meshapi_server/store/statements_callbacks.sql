-- name: advance_feed
-- Takes the owner's row until the commit, and answers the newest event before these.
insert into feed (owner, earlier, last) values (:owner, '', :last)
on conflict (owner) do update set earlier = feed.last, last = {greatest}(feed.last, excluded.last)
returning earlier

-- name: set_feed
update feed set last = :last where owner = :owner

-- name: insert_event
insert into event (id, owner, type, task_id, created_at, task)
values (:id, :owner, :type, :task_id, :created_at, :task)

-- name: list_events
select id, owner, type, task_id, created_at, task from event
where owner = :owner and id > :after and type <> 'webhook.test' order by id limit :limit

-- name: sweep_events
delete from event where id in (select id from event where id < :before limit :most) returning id

-- name: insert_delivery
insert into delivery (id, owner, event_id, type, task_id, endpoint_id, url, host, status, created_at, due)
values (:id, :owner, :event_id, :type, :task_id, :endpoint_id, :url, :host, 'pending', :created_at, :created_at)

-- name: due_hosts
-- Whom something is due for: one step of the index for each that something waits for, however much it is.
with recursive waiting(host) as (
  select min(host) from delivery where due is not null and worker is null
  union all
  select (select min(host) from delivery where due is not null and worker is null and host > waiting.host)
  from waiting where waiting.host is not null)
select host from waiting
where host is not null and exists (select 1 from delivery where delivery.host = waiting.host
                                   and due is not null and due <= :now and worker is null)

-- name: due_deliveries
select id, owner from delivery
where host = :host and due is not null and due <= :now and worker is null order by due limit :limit {skip}

-- name: claim_delivery
update delivery set worker = :worker, lease_until = :lease_until, attempt = attempt + 1, tries = tries + 1
where id = :id

-- name: begin_delivery_attempt
insert into delivery_attempt (delivery_id, attempt, started_at) values (:delivery_id, :attempt, :started_at)

-- name: end_delivery_attempt
update delivery_attempt set ended_at = :ended_at, http_status = :http_status, error = :error
where delivery_id = :delivery_id and attempt = :attempt and ended_at is null

-- name: get_deliveries
select {delivery} from delivery where id {one of ids}

-- name: get_snapshots
select id, task from event where id {one of ids}

-- name: save_delivery
-- Only by whoever holds it: an attempt that another one took over changes nothing.
update delivery set worker = null, lease_until = 0, status = :status, due = :due, ended_at = :ended_at,
                    http_status = :http_status, error = :error
where id = :id and attempt = :attempt and worker is not null

-- name: lost_deliveries
select id, attempt from delivery where worker is not null and lease_until < :now limit :most {skip}

-- name: free_delivery
-- Due as it was, so that it is tried again at once: whether it arrived is not known.
update delivery set worker = null, lease_until = 0 where id = :id and attempt = :attempt

-- name: list_deliveries
select {delivery} from delivery where {filters} order by id desc limit :limit

-- name: get_delivery
select {delivery} from delivery where id = :id and owner = :owner

-- name: get_delivery_attempts
select delivery_id, attempt, started_at, ended_at, http_status, error from delivery_attempt
where delivery_id {one of ids} order by delivery_id, attempt

-- name: redeliver
-- One that is under way is left alone.
update delivery set status = 'pending', due = :now, tries = 0, ended_at = null
where id = :id and owner = :owner and worker is null returning id

-- name: bury_deliveries
update delivery set status = 'dead', due = null, ended_at = :now, error = :error
where endpoint_id = :endpoint_id and due is not null

-- name: insert_endpoint
insert into endpoint (id, owner, url, description, enabled, events, created_at, updated_at)
values (:id, :owner, :url, :description, :enabled, :events, :created_at, :updated_at)

-- name: get_endpoint
select {endpoint} from endpoint where id = :id and owner = :owner

-- name: list_endpoints
select {endpoint} from endpoint where owner = :owner order by id

-- name: get_endpoints
select {endpoint} from endpoint where id {one of ids}

-- name: endpoints_of
select {endpoint} from endpoint where owner {one of owners} and enabled = 1

-- name: save_endpoint
update endpoint set url = :url, description = :description, enabled = :enabled, events = :events,
                    updated_at = :updated_at
where id = :id and owner = :owner

-- name: switch_off_endpoint
-- Its owner may have given it another URL since the delivery was made.
update endpoint set enabled = 0, updated_at = :now where id = :id and url = :url and enabled = 1

-- name: delete_endpoint
delete from endpoint where id = :id and owner = :owner returning id

-- name: insert_webhook_secret
insert into webhook_secret (id, holder, value, created_at) values (:id, :holder, :value, :created_at)
on conflict (holder) where expires_at is null do nothing

-- name: get_webhook_secrets
-- Of each holder the current one, and the one that it replaced as long as that is valid.
select holder, value, created_at, expires_at from webhook_secret
where holder {one of ids} and (expires_at is null or expires_at > :now)

-- name: retire_webhook_secret
update webhook_secret set expires_at = :expires_at where holder = :holder and expires_at is null

-- name: forget_webhook_secrets
-- Two are valid at once, never three.
delete from webhook_secret where holder = :holder and expires_at is not null

-- name: drop_webhook_secrets
delete from webhook_secret where holder = :holder
