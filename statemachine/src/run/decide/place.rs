//! A place in the pipeline's queue: taken, waited for, given on, given up.

use super::*;

impl Step {
    /// Keeps the queue true to the run's phase, and gives a free place on. Every change that concerns the queue ends here,
    /// so that no way out of an execution can forget it.
    pub(super) fn take_or_leave_a_place(&mut self, before: &Queue) {
        if !self.has_queue {
            return;
        }
        let id = self.run.id.clone();
        self.queue.pipeline.clone_from(&self.run.spec.pipeline);
        let bounded = self.run.spec.concurrency != Concurrency::Unlimited;
        match (bounded && self.run.phase.takes_a_place(), self.queue.active.contains(&id)) {
            (true, false) => self.queue.active.push(id.clone()),
            (false, true) => self.queue.active.retain(|other| *other != id),
            _ => {}
        }
        if self.run.phase != Phase::Queued {
            self.queue.waiting.retain(|other| *other != id);
        }
        if self.run.phase != Phase::Batching && self.queue.batch.as_ref() == Some(&id) {
            self.queue.batch = None;
        }
        if self.queue != *before {
            self.give_place_on();
        }
    }

    fn give_place_on(&mut self) {
        if !self.queue.has_room(self.run.spec.concurrency) {
            return;
        }
        if let Some(next) = self.queue.waiting.first().filter(|next| **next != self.run.id).cloned() {
            let message = Message::SlotFree;
            self.run.command(CommandId::tell(&next, &message), Command::Tell { run: next, message });
        }
    }

    pub(super) fn slot_free(&mut self) -> Verdict {
        let waits = self.run.phase == Phase::Queued && self.queue.waiting.contains(&self.run.id);
        if !self.queue.has_room(self.run.spec.concurrency) {
            return Verdict::ignored("no place is free; whoever leaves one tells the next");
        }
        if !waits || self.queue.waiting.first() != Some(&self.run.id) {
            if self.queue.waiting.is_empty() {
                return Verdict::ignored("the run does not wait for a place");
            }
            self.give_place_on();
            return Verdict::changed("the place is another run's, and is given on");
        }
        self.start();
        Verdict::changed("a place is free; the run starts")
    }

    pub(super) fn stop_requested(&mut self, stop: &Stop) -> Verdict {
        if self.run.stop.is_some() && self.is_being_stopped() {
            return Verdict::ignored("the run is being stopped already");
        }
        let ended = if stop.by.is_some() { Phase::Skipped } else { Phase::Stopped };
        match self.run.phase {
            Phase::Batching | Phase::Queued => {
                self.record_stop(stop);
                self.run.outbox.retain(|pending| !matches!(pending.command, Command::Wake { .. }));
                self.run.phase = ended;
                Verdict::changed("the run is stopped before it began")
            }
            Phase::Starting if self.start_was_refused() => {
                self.record_stop(stop);
                self.acknowledge(&CommandId::start());
                self.run.phase = ended;
                Verdict::changed("the run is stopped before its execution began")
            }
            // Whoever asks for the execution may have got it: it is stopped as soon as it is known.
            Phase::Starting => {
                self.record_stop(stop);
                Verdict::changed("the run is stopped once its execution is known")
            }
            Phase::Running => {
                self.record_stop(stop);
                self.command_stop();
                Verdict::changed("the execution is to be stopped")
            }
            phase => Verdict::ignored(format!("the execution is over; the run is {phase}")),
        }
    }

    /// Whether an earlier request to stop can still work: it has not been answered, or SageMaker is at it.
    fn is_being_stopped(&self) -> bool {
        let stopping = self.run.execution.as_ref().is_some_and(|known| known.status == ExecutionStatus::Stopping);
        self.run.phase != Phase::Running || self.run.has_pending(&CommandId::stop()) || stopping
    }

    /// SageMaker said each time that it did not start the execution, and nobody has asked again.
    fn start_was_refused(&self) -> bool {
        let start = self.run.outbox.iter().find(|pending| pending.id == CommandId::start());
        start.is_some_and(|start| matches!(start.state, Pending::Waiting { .. }) && !start.unsure)
    }

    fn record_stop(&mut self, stop: &Stop) {
        self.run.learn(self.at, format!("to be stopped: {}", crate::text::one_line(&stop.reason, 500)));
        self.run.stop = Some(stop.clone());
    }

    pub(super) fn command_stop(&mut self) {
        let Some(execution) = &self.run.execution else { return };
        let command = Command::Stop {
            execution_arn: execution.arn.clone(),
            token: self.run.id.token(&format!("stop@{}", self.at)),
        };
        self.run.command(CommandId::stop(), command);
    }
}
