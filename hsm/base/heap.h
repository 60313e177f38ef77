// The memory of a short-lived program.
#ifndef HSM_BASE_HEAP_H_
#define HSM_BASE_HEAP_H_

namespace base {

// GrowHeapByHugePages lets malloc go on at the next boundary of 2 MiB and grow by
// 4 MiB, so that Linux can back the heap with one huge page: a program that runs
// for a tenth of a second otherwise spends a good part of it touching new pages, one
// at a time. For programs only, first thing in main(). It cannot fail: where there are
// no huge pages, or another malloc, nothing changes.
void GrowHeapByHugePages();

}  // namespace base

#endif  // HSM_BASE_HEAP_H_
