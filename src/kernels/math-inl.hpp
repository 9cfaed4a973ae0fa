// Vector exp and GELU with stated error bounds, compiled once per instruction set.
#if defined(BYTEFORMER_KERNELS_MATH_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BYTEFORMER_KERNELS_MATH_INL
#undef BYTEFORMER_KERNELS_MATH_INL
#else
#define BYTEFORMER_KERNELS_MATH_INL
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace byteformer::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Vector = hn::Vec<Floats>;

/// exp(x) for x <= 0 (any x below 88 works): relative error below 2e-7; exactly 0 below -87.3.
/// Reduction x = n ln 2 + r with |r| <= ln 2 / 2, then the polynomial of Cephes' expf.
HWY_INLINE Vector exp_vector(Vector x) {
  const Floats d;
  const hn::RebindToSigned<Floats> di;
  const auto lowest = hn::Set(d, -87.3f);
  const auto clamped = hn::Max(x, lowest);
  const auto n = hn::Round(hn::Mul(clamped, hn::Set(d, 1.44269504088896341f)));
  auto r = hn::NegMulAdd(n, hn::Set(d, 0.693359375f), clamped);
  r = hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4f), r);
  auto p = hn::Set(d, 1.9875691500e-4f);
  p = hn::MulAdd(p, r, hn::Set(d, 1.3981999507e-3f));
  p = hn::MulAdd(p, r, hn::Set(d, 8.3334519073e-3f));
  p = hn::MulAdd(p, r, hn::Set(d, 4.1665795894e-2f));
  p = hn::MulAdd(p, r, hn::Set(d, 1.6666665459e-1f));
  p = hn::MulAdd(p, r, hn::Set(d, 5.0000001201e-1f));
  const auto e = hn::Add(hn::MulAdd(p, hn::Mul(r, r), r), hn::Set(d, 1.0f));
  const auto power = hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(hn::ConvertTo(di, n), hn::Set(di, 127))));
  return hn::IfThenElseZero(hn::Ge(x, lowest), hn::Mul(e, power));
}

/// erf(x): absolute error below 3e-7. The rational approximation x P(x^2) / Q(x^2) on [-4, 4] that Eigen and XLA use.
HWY_INLINE Vector erf_vector(Vector x) {
  const Floats d;
  x = hn::Clamp(x, hn::Set(d, -4.0f), hn::Set(d, 4.0f));
  const auto z = hn::Mul(x, x);
  auto p = hn::Set(d, -2.72614225801306e-10f);
  p = hn::MulAdd(p, z, hn::Set(d, 2.77068142495902e-08f));
  p = hn::MulAdd(p, z, hn::Set(d, -2.10102402082508e-06f));
  p = hn::MulAdd(p, z, hn::Set(d, -5.69250639462346e-05f));
  p = hn::MulAdd(p, z, hn::Set(d, -7.34990630326855e-04f));
  p = hn::MulAdd(p, z, hn::Set(d, -2.95459980854025e-03f));
  p = hn::MulAdd(p, z, hn::Set(d, -1.60960333262415e-02f));
  auto q = hn::Set(d, -1.45660718464996e-05f);
  q = hn::MulAdd(q, z, hn::Set(d, -2.13374055278905e-04f));
  q = hn::MulAdd(q, z, hn::Set(d, -1.68282697438203e-03f));
  q = hn::MulAdd(q, z, hn::Set(d, -7.37332916720468e-03f));
  q = hn::MulAdd(q, z, hn::Set(d, -1.42647390514189e-02f));
  return hn::Div(hn::Mul(x, p), q);
}

/// x Phi(x), the erf form of GELU: absolute error below 3e-7 * max(1, |x|).
HWY_INLINE Vector gelu_vector(Vector x) {
  const Floats d;
  const auto half = hn::Mul(x, hn::Set(d, 0.5f));
  return hn::MulAdd(half, erf_vector(hn::Mul(x, hn::Set(d, 0.70710678118654752f))), half);
}

}  // namespace HWY_NAMESPACE
}  // namespace byteformer::kernels
HWY_AFTER_NAMESPACE();
#endif
