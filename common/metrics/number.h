#pragma once
// Numbers as Java prints them, since that is how the tools that read Apache's servers know them.

#include <string>

namespace odradek::metrics {

// Double.toString: "0.0", "6.1111", "1.0866176E7", "NaN", "Infinity". The shortest digits that name
// the number.
std::string java_double(double value);

// Rounded to four decimals first, half away from zero, as ZooKeeper rounds its averages.
std::string java_average(double value);

}  // namespace odradek::metrics
