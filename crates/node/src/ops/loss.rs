//! Losses. A bad label that only the kernel sees stops the stream with an error that names it.

use ferrograd_kernels::Exec;
use ferrograd_kernels::loss::classes::{Classes, OneHot};
use ferrograd_kernels::loss::cross_entropy::{self, Settings as Softmax};
use ferrograd_kernels::loss::element::{self, Kind};
use ferrograd_kernels::loss::svm::{self, Settings as Margin};
use napi::bindgen_prelude::*;
use napi_derive::napi;

use crate::launch::{Element, Input, Launch};
use crate::runtime::{DType, Handle, internal};

type Checked = std::result::Result<(), String>;

/// The kernels of one kind of number: the fast ones for float32, the reference for float64.
trait Number: Element + From<u8> + PartialEq {
    fn softmax<C: Classes>(e: &Exec, x: &[Self], t: C, s: Softmax<Self>, loss: &mut [Self]) -> Checked;
    fn softmax_dx<C: Classes>(
        e: &Exec,
        x: &[Self],
        t: C,
        s: Softmax<Self>,
        dy: &[Self],
        dx: &mut [Self],
    ) -> Checked;
    fn soft(e: &Exec, x: &[Self], t: &[Self], s: Softmax<Self>, loss: &mut [Self]) -> Checked;
    fn soft_dx(e: &Exec, x: &[Self], t: &[Self], s: Softmax<Self>, dy: &[Self], dx: &mut [Self]);
    fn soft_dt(e: &Exec, x: &[Self], s: Softmax<Self>, dy: &[Self], dt: &mut [Self]);
    fn svm<C: Classes>(e: &Exec, x: &[Self], t: C, s: Margin<Self>, loss: &mut [Self]) -> Checked;
    fn svm_dx<C: Classes>(
        e: &Exec,
        x: &[Self],
        t: C,
        s: Margin<Self>,
        dy: &[Self],
        dx: &mut [Self],
    ) -> Checked;
}

impl Number for f32 {
    fn softmax<C: Classes>(e: &Exec, x: &[f32], t: C, s: Softmax<f32>, loss: &mut [f32]) -> Checked {
        cross_entropy::forward(e, x, t, s, loss)
    }
    fn softmax_dx<C: Classes>(
        e: &Exec,
        x: &[f32],
        t: C,
        s: Softmax<f32>,
        dy: &[f32],
        dx: &mut [f32],
    ) -> Checked {
        cross_entropy::backward(e, x, t, s, dy, dx);
        Ok(())
    }
    fn soft(e: &Exec, x: &[f32], t: &[f32], s: Softmax<f32>, loss: &mut [f32]) -> Checked {
        cross_entropy::forward_soft(e, x, t, s, loss)
    }
    fn soft_dx(e: &Exec, x: &[f32], t: &[f32], s: Softmax<f32>, dy: &[f32], dx: &mut [f32]) {
        cross_entropy::backward_soft(e, x, t, s, dy, dx);
    }
    fn soft_dt(e: &Exec, x: &[f32], s: Softmax<f32>, dy: &[f32], dt: &mut [f32]) {
        cross_entropy::backward_labels(e, x, s, dy, dt);
    }
    fn svm<C: Classes>(e: &Exec, x: &[f32], t: C, s: Margin<f32>, loss: &mut [f32]) -> Checked {
        svm::forward(e, x, t, s, loss)
    }
    fn svm_dx<C: Classes>(e: &Exec, x: &[f32], t: C, s: Margin<f32>, dy: &[f32], dx: &mut [f32]) -> Checked {
        svm::backward(e, x, t, s, dy, dx);
        Ok(())
    }
}

impl Number for f64 {
    fn softmax<C: Classes>(_: &Exec, x: &[f64], t: C, s: Softmax<f64>, loss: &mut [f64]) -> Checked {
        cross_entropy::reference::forward(x, t, s, loss)
    }
    fn softmax_dx<C: Classes>(
        _: &Exec,
        x: &[f64],
        t: C,
        s: Softmax<f64>,
        dy: &[f64],
        dx: &mut [f64],
    ) -> Checked {
        cross_entropy::reference::backward(x, t, s, dy, dx)
    }
    fn soft(_: &Exec, x: &[f64], t: &[f64], s: Softmax<f64>, loss: &mut [f64]) -> Checked {
        cross_entropy::reference::forward_soft(x, t, s, loss)
    }
    fn soft_dx(_: &Exec, x: &[f64], t: &[f64], s: Softmax<f64>, dy: &[f64], dx: &mut [f64]) {
        cross_entropy::reference::backward_soft(x, t, s, dy, dx);
    }
    fn soft_dt(_: &Exec, x: &[f64], s: Softmax<f64>, dy: &[f64], dt: &mut [f64]) {
        cross_entropy::reference::backward_labels(x, s, dy, dt);
    }
    fn svm<C: Classes>(_: &Exec, x: &[f64], t: C, s: Margin<f64>, loss: &mut [f64]) -> Checked {
        svm::reference::forward(x, t, s, loss)
    }
    fn svm_dx<C: Classes>(_: &Exec, x: &[f64], t: C, s: Margin<f64>, dy: &[f64], dx: &mut [f64]) -> Checked {
        svm::reference::backward(x, t, s, dy, dx)
    }
}

/// Which loss over classes; the number is the smoothing or the margin.
#[derive(Clone, Copy)]
enum OfClasses {
    CrossEntropy(f64),
    Svm(f64),
}

impl OfClasses {
    fn new(name: &str, parameter: f64) -> Result<(&'static str, OfClasses)> {
        let (op, loss, check) = match name {
            "softmaxCrossEntropy" => (
                "softmaxCrossEntropy",
                OfClasses::CrossEntropy(parameter),
                cross_entropy::check_smoothing(parameter),
            ),
            "svm" => ("svm", OfClasses::Svm(parameter), svm::check_margin(parameter)),
            _ => return Err(internal(format!("there is no loss {name}"))),
        };
        check.map_err(|reason| internal(format!("{op}: {reason}")))?;
        Ok((op, loss))
    }

    fn forward<T: Number, C: Classes>(
        self,
        e: &Exec,
        x: &[T],
        labels: C,
        classes: usize,
        weights: &[T],
        loss: &mut [T],
    ) -> Checked {
        match self {
            OfClasses::CrossEntropy(smoothing) => T::softmax(
                e,
                x,
                labels,
                Softmax {
                    classes,
                    smoothing,
                    weights,
                },
                loss,
            ),
            OfClasses::Svm(margin) => T::svm(
                e,
                x,
                labels,
                Margin {
                    classes,
                    margin,
                    weights,
                },
                loss,
            ),
        }
    }

    #[allow(clippy::too_many_arguments, reason = "one for each tensor of the formula")]
    fn backward<T: Number, C: Classes>(
        self,
        e: &Exec,
        x: &[T],
        labels: C,
        classes: usize,
        weights: &[T],
        dy: &[T],
        dx: &mut [T],
    ) -> Checked {
        match self {
            OfClasses::CrossEntropy(smoothing) => T::softmax_dx(
                e,
                x,
                labels,
                Softmax {
                    classes,
                    smoothing,
                    weights,
                },
                dy,
                dx,
            ),
            OfClasses::Svm(margin) => T::svm_dx(
                e,
                x,
                labels,
                Margin {
                    classes,
                    margin,
                    weights,
                },
                dy,
                dx,
            ),
        }
    }
}

/// The buffers and sizes of a loss over classes.
struct Call {
    launch: Launch,
    loss: OfClasses,
    classes: usize,
    scores: Handle,
    labels: Handle,
    weights: Handle,
}

/// Runs `$call.$indexed::<T, L>` where labels number the classes, `$call.$dense::<T>` where there is one for each score.
macro_rules! with_types {
    ($call:expr, $indexed:ident, $dense:ident, $($argument:expr),*) => {
        match ($call.launch.dtype($call.scores)?, $call.launch.dtype($call.labels)?) {
            (DType::Float32, DType::Int32) => $call.$indexed::<f32, i32>($($argument),*),
            (DType::Float32, DType::Uint8) => $call.$indexed::<f32, u8>($($argument),*),
            (DType::Float64, DType::Int32) => $call.$indexed::<f64, i32>($($argument),*),
            (DType::Float64, DType::Uint8) => $call.$indexed::<f64, u8>($($argument),*),
            (DType::Float32, DType::Float32) => $call.$dense::<f32>($($argument),*),
            (DType::Float64, DType::Float64) => $call.$dense::<f64>($($argument),*),
            (scores, labels) => Err(internal(format!(
                "a loss of {} scores and {} labels",
                scores.name(),
                labels.name()
            ))),
        }
    };
}

/// What every loss over classes reads.
struct Inputs<T, L> {
    scores: Input<T>,
    labels: Input<L>,
    weights: Input<T>,
}

impl Call {
    fn new(
        env: &Env,
        name: &str,
        parameter: f64,
        scores: Handle,
        labels: Handle,
        weights: Handle,
        classes: f64,
    ) -> Result<Call> {
        let (op, loss) = OfClasses::new(name, parameter)?;
        if !(classes >= 1.0 && classes <= 2f64.powi(40) && classes.fract() == 0.0) {
            return Err(internal(format!("{op}: {classes} classes")));
        }
        Ok(Call {
            launch: Launch::new(env, op)?,
            loss,
            classes: classes as usize,
            scores,
            labels,
            weights,
        })
    }

    fn open<T: Number, L: Element>(&mut self, indices: bool) -> Result<Inputs<T, L>> {
        let inputs = Inputs {
            scores: self.launch.read::<T>(self.scores)?,
            labels: self.launch.read::<L>(self.labels)?,
            weights: self.launch.read::<T>(self.weights)?,
        };
        let (scores, labels, weights) = (inputs.scores.len(), inputs.labels.len(), inputs.weights.len());
        let rows = cross_entropy::check(scores, labels, indices, self.classes, weights, 1);
        self.launch.check(rows.map(drop))?;
        Ok(inputs)
    }

    fn one_loss(&self, len: usize) -> Result<()> {
        let one = if len == 1 {
            Ok(())
        } else {
            Err(format!("a loss of {len} elements"))
        };
        self.launch.check(one)
    }

    fn indexed_forward<T: Number, L: Element>(mut self, loss: Handle) -> Result<()>
    where
        for<'a> &'a [L]: Classes,
    {
        let inputs = self.open::<T, L>(true)?;
        let mut out = self.launch.write::<T>(loss)?;
        self.one_loss(out.len())?;
        let (loss, classes) = (self.loss, self.classes);
        self.launch.queue(move |turn| {
            let (x, t, w) = (
                inputs.scores.get(turn),
                inputs.labels.get(turn),
                inputs.weights.get(turn),
            );
            refuse(loss.forward(turn.exec, x, t, classes, w, out.get(turn)));
        })
    }

    fn dense_forward<T: Number>(mut self, loss: Handle) -> Result<()> {
        let inputs = self.open::<T, T>(false)?;
        let mut out = self.launch.write::<T>(loss)?;
        self.one_loss(out.len())?;
        let (loss, classes) = (self.loss, self.classes);
        self.launch.queue(move |turn| {
            let (x, t, weights) = (
                inputs.scores.get(turn),
                inputs.labels.get(turn),
                inputs.weights.get(turn),
            );
            let out = out.get(turn);
            refuse(match loss {
                OfClasses::CrossEntropy(smoothing) => T::soft(
                    turn.exec,
                    x,
                    t,
                    Softmax {
                        classes,
                        smoothing,
                        weights,
                    },
                    out,
                ),
                OfClasses::Svm(_) => loss.forward(turn.exec, x, OneHot(t), classes, weights, out),
            });
        })
    }

    fn indexed_backward<T: Number, L: Element>(mut self, dy: Handle, dx: Handle) -> Result<()>
    where
        for<'a> &'a [L]: Classes,
    {
        let inputs = self.open::<T, L>(true)?;
        let (dy, mut dx) = (self.launch.read::<T>(dy)?, self.launch.write::<T>(dx)?);
        self.check_gradient(inputs.scores.len(), dy.len(), dx.len())?;
        let (loss, classes) = (self.loss, self.classes);
        self.launch.queue(move |turn| {
            let (x, t, w) = (
                inputs.scores.get(turn),
                inputs.labels.get(turn),
                inputs.weights.get(turn),
            );
            refuse(loss.backward(turn.exec, x, t, classes, w, dy.get(turn), dx.get(turn)));
        })
    }

    fn dense_backward<T: Number>(mut self, dy: Handle, dx: Handle) -> Result<()> {
        let inputs = self.open::<T, T>(false)?;
        let (dy, mut dx) = (self.launch.read::<T>(dy)?, self.launch.write::<T>(dx)?);
        self.check_gradient(inputs.scores.len(), dy.len(), dx.len())?;
        let (loss, classes) = (self.loss, self.classes);
        self.launch.queue(move |turn| {
            let (x, t, weights) = (
                inputs.scores.get(turn),
                inputs.labels.get(turn),
                inputs.weights.get(turn),
            );
            let (dy, dx) = (dy.get(turn), dx.get(turn));
            match loss {
                OfClasses::CrossEntropy(smoothing) => {
                    T::soft_dx(
                        turn.exec,
                        x,
                        t,
                        Softmax {
                            classes,
                            smoothing,
                            weights,
                        },
                        dy,
                        dx,
                    );
                }
                OfClasses::Svm(_) => refuse(loss.backward(turn.exec, x, OneHot(t), classes, weights, dy, dx)),
            }
        })
    }

    fn labels_backward<T: Number>(mut self, dy: Handle, dt: Handle) -> Result<()> {
        let inputs = self.open::<T, T>(false)?;
        let (dy, mut dt) = (self.launch.read::<T>(dy)?, self.launch.write::<T>(dt)?);
        self.check_gradient(inputs.scores.len(), dy.len(), dt.len())?;
        let OfClasses::CrossEntropy(smoothing) = self.loss else {
            return Err(internal("only cross-entropy has a gradient of its labels"));
        };
        let classes = self.classes;
        self.launch.queue(move |turn| {
            let settings = Softmax {
                classes,
                smoothing,
                weights: inputs.weights.get(turn),
            };
            T::soft_dt(
                turn.exec,
                inputs.scores.get(turn),
                settings,
                dy.get(turn),
                dt.get(turn),
            );
        })
    }

    fn check_gradient(&self, scores: usize, dy: usize, dx: usize) -> Result<()> {
        let fits = dy == 1 && dx == scores;
        let result = if fits {
            Ok(())
        } else {
            Err(format!("gradients of {dy} and {dx} for {scores} scores"))
        };
        self.launch.check(result)
    }
}

/// Stops the stream: a label that could not be checked before it was queued.
fn refuse(result: Checked) {
    result.unwrap_or_else(|reason| panic!("{reason}"));
}

/// Position and value of the first label that is no class below `classes`; empty without one, and where labels are
/// still being computed.
#[napi(catch_unwind)]
pub fn find_bad_class(env: Env, labels: Handle, classes: f64) -> Result<Vec<f64>> {
    fn find<L: Element + Into<f64>>(launch: &Launch, labels: Handle, classes: f64) -> Result<Vec<f64>> {
        let bad = |label: &L| !(0.0..classes).contains(&(*label).into());
        let found = launch.peek(labels, |labels: &[L]| {
            let position = labels.iter().position(bad)?;
            Some(vec![position as f64, labels[position].into()])
        })?;
        Ok(found.flatten().unwrap_or_default())
    }
    let launch = Launch::new(&env, "labels")?;
    match launch.dtype(labels)? {
        DType::Int32 => find::<i32>(&launch, labels, classes),
        DType::Uint8 => find::<u8>(&launch, labels, classes),
        _ => Ok(Vec::new()),
    }
}

/// A loss over classes (`softmaxCrossEntropy` with its smoothing, `svm` with its margin). Labels are int32 or uint8, a
/// class for each row, or floats, one for each score. `weights` may be 0.
#[napi(catch_unwind)]
#[allow(clippy::too_many_arguments, reason = "one for each tensor of the formula")]
pub fn class_loss_forward(
    env: Env,
    name: String,
    parameter: f64,
    scores: Handle,
    labels: Handle,
    weights: Handle,
    loss: Handle,
    classes: f64,
) -> Result<()> {
    let call = Call::new(&env, &name, parameter, scores, labels, weights, classes)?;
    with_types!(call, indexed_forward, dense_forward, loss)
}

/// The gradient of the scores, from `dy`, that of the loss.
#[napi(catch_unwind)]
#[allow(clippy::too_many_arguments, reason = "one for each tensor of the formula")]
pub fn class_loss_backward(
    env: Env,
    name: String,
    parameter: f64,
    scores: Handle,
    labels: Handle,
    weights: Handle,
    dy: Handle,
    dx: Handle,
    classes: f64,
) -> Result<()> {
    let call = Call::new(&env, &name, parameter, scores, labels, weights, classes)?;
    with_types!(call, indexed_backward, dense_backward, dy, dx)
}

/// The gradient of the labels of a softmax cross-entropy, where they are floats.
#[napi(catch_unwind)]
#[allow(clippy::too_many_arguments, reason = "one for each tensor of the formula")]
pub fn class_loss_labels_backward(
    env: Env,
    name: String,
    parameter: f64,
    scores: Handle,
    labels: Handle,
    weights: Handle,
    dy: Handle,
    dt: Handle,
    classes: f64,
) -> Result<()> {
    let call = Call::new(&env, &name, parameter, scores, labels, weights, classes)?;
    match call.launch.dtype(scores)? {
        DType::Float64 => call.labels_backward::<f64>(dy, dt),
        _ => call.labels_backward::<f32>(dy, dt),
    }
}

fn kind_of(name: &str, parameter: f64) -> Result<(&'static str, Kind)> {
    let (op, kind) = match name {
        "meanSquaredError" => ("meanSquaredError", Kind::Squared),
        "meanAbsoluteError" => ("meanAbsoluteError", Kind::Absolute),
        "huber" => ("huber", Kind::Huber { delta: parameter }),
        "binaryCrossEntropy" => ("binaryCrossEntropy", Kind::Logistic { smoothing: parameter }),
        _ => return Err(internal(format!("there is no loss {name}"))),
    };
    kind.check()
        .map_err(|reason| internal(format!("{op}: {reason}")))?;
    Ok((op, kind))
}

/// A loss of single elements; `parameter` is the delta of `huber`, the smoothing of `binaryCrossEntropy`. `weights` may
/// be 0.
#[napi(catch_unwind)]
pub fn element_loss_forward(
    env: Env,
    name: String,
    parameter: f64,
    predictions: Handle,
    labels: Handle,
    weights: Handle,
    loss: Handle,
) -> Result<()> {
    let (op, kind) = kind_of(&name, parameter)?;
    Launch::new(&env, op)?.float(
        [predictions, labels, weights],
        [loss],
        |[x, t, w], [loss]| element::check(x, t, w, loss),
        move |cx, [x, t, w], [loss]| refuse(element::forward(cx, kind, x, t, w, loss)),
        move |[x, t, w], [loss]| refuse(element::reference::forward(kind, x, t, w, loss)),
    )
}

/// The gradient of the predictions, from `dy`, that of the loss.
#[napi(catch_unwind)]
#[allow(clippy::too_many_arguments, reason = "one for each tensor of the formula")]
pub fn element_loss_backward(
    env: Env,
    name: String,
    parameter: f64,
    predictions: Handle,
    labels: Handle,
    weights: Handle,
    dy: Handle,
    dx: Handle,
) -> Result<()> {
    let (op, kind) = kind_of(&name, parameter)?;
    Launch::new(&env, op)?.float(
        [predictions, labels, weights, dy],
        [dx],
        |[x, t, w, dy], [dx]| element::check(x, t, w, dy).and(element::check(x, dx, w, dy)),
        move |cx, [x, t, w, dy], [dx]| element::backward(cx, kind, x, t, w, dy, dx),
        move |[x, t, w, dy], [dx]| element::reference::backward(kind, x, t, w, dy, dx),
    )
}

/// The gradient of the labels.
#[napi(catch_unwind)]
#[allow(clippy::too_many_arguments, reason = "one for each tensor of the formula")]
pub fn element_loss_labels_backward(
    env: Env,
    name: String,
    parameter: f64,
    predictions: Handle,
    labels: Handle,
    weights: Handle,
    dy: Handle,
    dt: Handle,
) -> Result<()> {
    let (op, kind) = kind_of(&name, parameter)?;
    Launch::new(&env, op)?.float(
        [predictions, labels, weights, dy],
        [dt],
        |[x, t, w, dy], [dt]| element::check(x, t, w, dy).and(element::check(x, dt, w, dy)),
        move |cx, [x, t, w, dy], [dt]| element::backward_labels(cx, kind, x, t, w, dy, dt),
        move |[x, t, w, dy], [dt]| element::reference::backward_labels(kind, x, t, w, dy, dt),
    )
}
