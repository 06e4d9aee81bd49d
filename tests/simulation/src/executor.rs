//! Runs tasks on one thread. Which of those that can run is next is chosen from the seed, and time
//! passes only when none can.

use std::{
    cell::RefCell,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use memory_ports::TestTimer;
use rand::Rng;

use crate::plan::Id;

/// Most steps of a schedule; one with more never ends.
const MAX_STEPS: u32 = 50_000;

/// A task to start.
pub struct NewTask {
    /// The operation that it works on; 0 for none.
    pub of: Id,
    /// When it may begin, in milliseconds.
    pub start_ms: i64,
    /// After how many steps it crashes, if it does.
    pub crash_after: Option<u32>,
    /// What it does.
    pub work: Pin<Box<dyn Future<Output = ()>>>,
    /// What happens when it crashes.
    pub crashed: Box<dyn FnOnce()>,
}

/// Takes tasks while others run.
#[derive(Clone, Default)]
pub struct Spawner {
    new: Rc<RefCell<Vec<NewTask>>>,
    /// The operation of the task that runs.
    pub running: Arc<AtomicU32>,
}

impl Spawner {
    /// Starts a task.
    pub fn spawn(&self, task: NewTask) {
        self.new.borrow_mut().push(task);
    }
}

/// A schedule that never ends.
#[derive(Debug)]
pub struct NeverEnds;

struct Task {
    of: Id,
    start_ms: i64,
    crash_in: Option<u32>,
    is_woken: Arc<Flag>,
    waker: Waker,
    work: Pin<Box<dyn Future<Output = ()>>>,
    crashed: Option<Box<dyn FnOnce()>>,
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl From<NewTask> for Task {
    fn from(new: NewTask) -> Self {
        let is_woken = Arc::new(Flag(AtomicBool::new(true)));
        Self {
            of: new.of,
            start_ms: new.start_ms,
            crash_in: new.crash_after,
            waker: Waker::from(is_woken.clone()),
            is_woken,
            work: new.work,
            crashed: Some(new.crashed),
        }
    }
}

/// Runs every task, and what they start, until none is left or nothing can ever wake the rest.
///
/// # Errors
/// [`NeverEnds`] after [`MAX_STEPS`] steps.
pub fn run(spawner: &Spawner, timer: &TestTimer, random: &mut impl Rng) -> Result<(), NeverEnds> {
    use handlers::ports::Timer as _;
    let mut tasks: Vec<Task> = Vec::new();
    let mut runnable: Vec<usize> = Vec::new();
    for _ in 0..MAX_STEPS {
        tasks.extend(spawner.new.borrow_mut().drain(..).map(Task::from));
        let now = timer.unix_ms();
        runnable.clear();
        let can_run = |task: &Task| task.start_ms <= now && task.is_woken.0.load(Ordering::Relaxed);
        runnable.extend((0..tasks.len()).filter(|i| tasks.get(*i).is_some_and(can_run)));
        if runnable.is_empty() {
            let starts = tasks.iter().map(|task| task.start_ms).filter(|start| *start > now);
            match starts.chain(timer.next_wake_ms()).min() {
                Some(next) => timer.move_to(next),
                None => return Ok(()),
            }
            continue;
        }
        let chosen = runnable.swap_remove(random.random_range(0..runnable.len()));
        let Some(task) = tasks.get_mut(chosen) else { continue };
        task.is_woken.0.store(false, Ordering::Relaxed);
        spawner.running.store(task.of, Ordering::Relaxed);
        let mut context = Context::from_waker(&task.waker);
        let has_ended = match &mut task.crash_in {
            Some(0) => {
                if let Some(crashed) = task.crashed.take() {
                    crashed();
                }
                true
            }
            crash_in => {
                *crash_in = crash_in.map(|steps| steps - 1);
                matches!(task.work.as_mut().poll(&mut context), Poll::Ready(()))
            }
        };
        if has_ended {
            tasks.remove(chosen);
        }
    }
    Err(NeverEnds)
}
