// The files of a bulk lint, cut into items. They can be read more than once.
#ifndef CEREMONY_X509_BULK_INPUTS_H_
#define CEREMONY_X509_BULK_INPUTS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ceremony/x509/bundle.h"
#include "hsm/base/file.h"
#include "hsm/base/result.h"

namespace ceremony::x509 {

class BulkInputs final {
 public:
  explicit BulkInputs(const std::vector<std::string>& paths) : paths_(paths) {}

  // KeepStandardInput makes standard input readable twice: a pipe can be read once.
  base::Result<void> KeepStandardInput();

  // ForEachItem cuts all files into items, until `take` returns false; what
  // cannot be read goes to `unreadable`, and the next file follows.
  void ForEachItem(const std::function<bool(std::uint32_t, BundleItem)>& take,
                   const std::function<void(std::uint32_t, const base::Error&)>& unreadable) const;

 private:
  base::Result<base::FileDescriptor> Open(const std::string& path) const;

  const std::vector<std::string>& paths_;  // "-" is standard input
  base::FileDescriptor spool_;
};

}  // namespace ceremony::x509

#endif  // CEREMONY_X509_BULK_INPUTS_H_
