/** Loaded before each test file: property tests draw the cases of the run's seed, the same each time, so that what fails
 *  was broken by a change. */
import fc from 'fast-check'

fc.configureGlobal({ seed: Number(process.env['COMITY_SEED']) })
