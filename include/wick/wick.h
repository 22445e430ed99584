/* wick: small image classifiers in C, with PyTorch's numbers. This header includes all the others. */
#ifndef WICK_WICK_H
#define WICK_WICK_H

#include <wick/bench.h>
#include <wick/checkpoint.h>
#include <wick/context.h>
#include <wick/data.h>
#include <wick/image.h>
#include <wick/module.h>
#include <wick/plot.h>
#include <wick/random.h>
#include <wick/report.h>
#include <wick/run.h>
#include <wick/status.h>
#include <wick/tensor.h>
#include <wick/train.h>

#endif
