// Where a value lies on an axis, and which round values are written beside it.
#pragma once

#include <vector>

namespace byteformer::chart {

/// One axis of a chart: from values to 0 … 1, linear or logarithmic.
class Scale {
 public:
  /// \param low, high finite; above 0 if logarithmic. Bounds that are not in order are set a little apart.
  Scale(double low, double high, bool is_logarithmic);

  /// The same bounds, moved out to the next round values. Logarithmic scales stay as they are.
  Scale rounded() const;

  double low() const { return low_; }
  double high() const { return high_; }

  /// 0 at the low end, 1 at the high one.
  double position(double value) const;

  /// Round values between the bounds, ascending: about four; logarithmic: powers of ten, with 2 and 5 between few of
  /// them.
  std::vector<double> ticks() const;

 private:
  double low_, high_;
  bool is_logarithmic_;
};

}  // namespace byteformer::chart
