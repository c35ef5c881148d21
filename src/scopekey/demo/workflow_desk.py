"""Runs workflows: step after step, each decided with the present grant of the key that started the run.

The start of a run was decided when it was called. What the run then does is not covered by that: a key may be
revoked, narrowed or end meanwhile, and a step may need more than starting needed. So the verifier is asked again
before each step, by the key's id; the key itself is not kept. A step that was begun is ended; nothing is begun on
a doubt.
"""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus

from scopekey.core.decision import Allowed, DenialReason
from scopekey.core.problem import PROBLEMS
from scopekey.demo.caller import Caller
from scopekey.demo.engine import Engine
from scopekey.demo.limits import Limits
from scopekey.demo.problems import Refused
from scopekey.demo.run_store import Run, RunState, RunStore, StepRecord
from scopekey.demo.step_runner import StepFailed, StepRunner
from scopekey.demo.workflow_steps import needs
from scopekey.demo.workflow_store import Workflow
from scopekey.enforce.keys import Keys
from scopekey.replica.event import Event
from scopekey.replica.held import Held

OPERATION = "workflow step"
"""What a step is called in the audit log; its object is the workflow and the number of the step, `3/2`."""

_log = logging.getLogger(__name__)


class WorkflowDesk:
    """The runs of the platform, and the threads that go through their steps."""

    def __init__(self, engine: Engine, keys: Keys, runner: StepRunner, limits: Limits) -> None:
        self.store: RunStore = RunStore(engine, limits.kept_runs)
        self._keys, self._runner, self._limits = keys, runner, limits
        self._pool = ThreadPoolExecutor(limits.running_workflows, thread_name_prefix="workflow")
        self._lock = threading.Lock()
        self._open = 0

    def start(self, workflow: Workflow, started_by: Caller) -> Run:
        """A new run, for the key of the call that was just let through. Refused (503) while too many wait."""
        held = started_by.held
        with self._lock:
            if self._open >= self._limits.running_workflows + self._limits.waiting_runs:
                detail = f"{self._limits.waiting_runs} runs are waiting already; try again shortly."
                raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "busy", detail, headers={"Retry-After": "5"})
            run = self.store.create(workflow, held.key_id, started_by.request_id)
            self._open += 1
        self._pool.submit(self._work, run, held)
        return run

    def close(self) -> None:
        """Stop what runs, jobs too, and return when every thread has ended."""
        self._runner.stop()
        self._pool.shutdown(cancel_futures=True)

    def _work(self, run: Run, held: Held) -> None:
        try:
            state, reason = self._go_through(run, held)
            run.skip_the_rest()
            self.store.save(run, state, reason)
        except Exception:  # noqa: BLE001 (the run ends as failed, whatever it was)
            _log.exception("run %d could not be gone on with", run.id)
            run.skip_the_rest()
            self.store.save(run, "failed", "The platform failed; run the workflow again.")
        finally:
            with self._lock:
                self._open -= 1

    def _go_through(self, run: Run, held: Held) -> tuple[RunState, str | None]:
        """Take the steps in order; how the run ended, and why where it did not get through."""
        for number, record in enumerate(run.steps, start=1):
            if self._runner.stopping:
                return "failed", "The platform was stopped."
            if not self._may(run, number, record, held):
                return "stopped", f"Step {number} was refused: {record.detail}"
            record.began()
            self.store.save(run, "running")
            try:
                self._runner.take(record.step, partial(self._tell_job, run, record))
            except StepFailed as failed:
                record.ended("failed", failed.code, failed.detail)
                return "failed", f"Step {number} failed: {failed.detail}"
            record.ended("succeeded")
        return "succeeded", None

    def _tell_job(self, run: Run, record: StepRecord, job: int) -> None:
        record.job_id = job
        self.store.save(run, "running")

    def _may(self, run: Run, number: int, record: StepRecord, held: Held) -> bool:
        """Ask whether the key may take this step now, and wait until that is recorded."""
        try:
            event, ticket = self._keys.verifier.ask_held(
                held,
                needs(record.step),
                operation=OPERATION,
                object=f"{run.workflow_id}/{number}",
                request_id=run.request_id,
            )
            ticket.wait()
        except Exception as error:  # noqa: BLE001 (whatever went wrong, the answer is no)
            _log.error("run %d was stopped: its step could not be checked (%s)", run.id, type(error).__name__)
            record.ended("refused", "unavailable", "The step could not be checked, so it was not taken.")
            return False
        if not event.proceeds:
            _refuse(record, event)
        return event.proceeds


def _refuse(record: StepRecord, event: Event) -> None:
    decision, register = event.decision, event.register
    if isinstance(decision, Allowed):
        return
    if decision.reason is DenialReason.MISSING_PERMISSION and register is not None:
        record.missing = [str(permission) for permission in decision.missing]
        names = [f"{register.catalog.title(permission)} ({permission})" for permission in decision.missing]
        detail = f"The key that started the run lacks {' and '.join(names)}."
    else:
        detail = PROBLEMS[decision.reason].detail
    record.ended("refused", decision.reason.value, detail)
