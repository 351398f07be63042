//! What is known of models and of the places that serve them: prices, limits, capabilities, lifecycle, vendors.
//!
//! Every fact has a source and a date. The bundled rows are text inside the binary, sorted by key; a row is
//! parsed only when somebody asks for it, so that [`Catalog::bundled`] costs nothing. Two overlays can be laid
//! over it (a refreshed file, then the user's own), last wins. There is no network here.

mod bundle;
mod catalog;
pub mod check;
pub mod compat;
pub mod day;
pub mod lifecycle;
mod model;
mod name;
mod nearest;
pub mod overlay;
pub mod pricing;
pub mod row;
pub mod vendor;
pub mod window;

pub use catalog::Catalog;
pub use lifecycle::Status;
pub use model::{Benchmark, Model, PriceRow, Support};
pub use name::ModelName;
pub use nearest::nearest_names;
pub use overlay::OverlayError;
pub use pricing::Pricing;
pub use row::{Class, Side};
pub use vendor::{Auth, Form, Surface, TokenIssuer, Vendor};
