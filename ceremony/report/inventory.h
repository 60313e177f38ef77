// The key inventory: every key of an estate with the place of each copy, as a document of its own.
#ifndef CEREMONY_REPORT_INVENTORY_H_
#define CEREMONY_REPORT_INVENTORY_H_

#include <string>

#include "ceremony/estate/fold.h"

namespace ceremony::report {

// Inventory returns a whole page; `made_at` is RFC 3339.
std::string Inventory(const estate::Folded& folded, const std::string& made_at);

}  // namespace ceremony::report

#endif  // CEREMONY_REPORT_INVENTORY_H_
