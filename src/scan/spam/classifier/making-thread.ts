/** A thread that makes one layer, says so, and ends: seconds of computing that nobody shall wait for. */
import { parentPort, workerData } from 'node:worker_threads'
import { type Making, make } from './making.ts'

parentPort!.postMessage(make(workerData as Making))
